package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// peerStarts is far more than the 0.1 s that it takes.
const peerStarts = 30 * time.Second

// peer is one k8s-keystone-auth with one policy, which it reads only at its start.
type peer struct {
	process *harness.Process
	url     string
	client  *http.Client
}

// startPeer serves with the certificate of the product, and asks the same Keystone.
func startPeer(t *testing.T, ours *product, document []byte, port int) (*peer, error) {
	dir := t.TempDir()
	policyFile := filepath.Join(dir, "policy.json")
	if err := os.WriteFile(policyFile, document, 0o600); err != nil {
		return nil, err
	}
	client, err := harness.HTTPSClient(t, ours.CertificateFile(), 1)
	if err != nil {
		return nil, err
	}
	started, err := harness.Launch(harness.Spec{
		Name: program,
		Path: build.Path(program),
		Args: []string{
			"--listen", fmt.Sprintf("127.0.0.1:%d", port),
			"--tls-cert-file", ours.CertificateFile(),
			"--tls-private-key-file", filepath.Join(ours.StateDir, "tls.key"),
			"--keystone-policy-file", policyFile,
			"--keystone-url", ours.keystoneURL,
		},
		StopSignal:  syscall.SIGKILL,
		DeathSignal: syscall.SIGKILL,
		EndsCleanly: true,
	}, dir)
	if err != nil {
		return nil, err
	}
	p := &peer{started, fmt.Sprintf("https://127.0.0.1:%d/webhook", port), client}
	// What is no review is answered as well, which is enough to know that it listens.
	err = started.Wait(peerStarts, func() error {
		_, err := post(p.client, p.url, "", []byte("{"))
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, started.Tail()), p.end())
	}
	return p, nil
}

func (p *peer) end() error {
	p.client.CloseIdleConnections()
	return p.process.End()
}

// refusesV1 holds that the reviews of this comparison need to be v1beta1 on the peer's side.
func (p *peer) refusesV1(asked review) error {
	got, err := post(p.client, p.url, "", asked.body("v1"))
	if err == nil && got.status != http.StatusBadRequest {
		err = fmt.Errorf("v1: got %d %s, want 400", got.status, got.body)
	}
	return err
}

// judge asks in v1beta1, the only version that the peer knows.
func (p *peer) judge(asked review) (verdict, error) {
	answer, err := post(p.client, p.url, "", asked.body("v1beta1"))
	if errors.Is(err, io.EOF) {
		return cut, nil
	}
	if err != nil {
		return "", err
	}
	var got struct{ Status map[string]any }
	if err := json.Unmarshal(answer.body, &got); err != nil || answer.status != http.StatusOK {
		return "", fmt.Errorf("got %d %s", answer.status, answer.body)
	}
	allowed, isBool := got.Status["allowed"].(bool)
	if !isBool || len(got.Status) != 1 {
		return "", fmt.Errorf("got %s, want allowed and nothing else", answer.body)
	}
	return verdictOf(allowed), nil
}
