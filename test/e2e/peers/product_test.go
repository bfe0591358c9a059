package peers

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// product is this repository's webhook as a developer runs it, with one cluster for each policy.
type product struct {
	program     *program
	url         string
	keystoneURL string
	stateDir    string
	client      *http.Client
}

func clusterName(index int) string { return fmt.Sprintf("peers-%d", index) }
func credential(index int) string  { return fmt.Sprintf("the-credential-of-%s", clusterName(index)) }

// startProduct puts the policies and their clusters' credentials with wrangler and starts the webhook: documents that are there at the start
// need no waiting for a refresh.
func startProduct(t *testing.T, policies []policy) *product {
	t.Helper()
	root := repoRoot(t)
	stateDir := t.TempDir()
	putDocuments(t, filepath.Join(stateDir, "kv"), policies)
	ports := freePorts(t, 2)
	command := exec.Command(nodePath(t), "src/dev/start.ts")
	command.Dir = root
	command.Env = nodeEnvironment(root, fmt.Sprintf("PORT=%d", ports[0]), fmt.Sprintf("KEYSTONE_PORT=%d", ports[1]), "DEV_STATE_DIR="+stateDir)
	started, err := startProgram("webhook", filepath.Join(t.TempDir(), "webhook.log"), syscall.SIGINT, command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.end(syscall.SIGINT); err != nil {
			t.Error(err)
		}
	})
	err = started.waitUntil(2*time.Minute, func() error {
		if !strings.Contains(started.output(), "npm start: ready") {
			return errors.New("not ready")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &product{
		program:     started,
		url:         fmt.Sprintf("https://127.0.0.1:%d/webhook", ports[0]),
		keystoneURL: fmt.Sprintf("http://127.0.0.1:%d/v3", ports[1]),
		stateDir:    stateDir,
		client:      newClient(t, filepath.Join(stateDir, "tls.crt")),
	}
}

func putDocuments(t *testing.T, persistTo string, policies []policy) {
	t.Helper()
	type pair struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	type caller struct {
		Credentials []string `json:"credentials"`
		Own         []string `json:"own"`
	}
	callers := map[string]caller{}
	var pairs []pair
	for index, policy := range policies {
		digest := sha256.Sum256([]byte(credential(index)))
		callers[clusterName(index)] = caller{[]string{fmt.Sprintf("sha256:%x", digest)}, []string{"policy"}}
		pairs = append(pairs, pair{fmt.Sprintf("clusters/%s/policy", clusterName(index)), string(marshal(policy))})
	}
	pairs = append(pairs, pair{"callers", string(marshal(callers))})
	file := filepath.Join(t.TempDir(), "documents.json")
	if err := os.WriteFile(file, marshal(pairs), 0o600); err != nil {
		t.Fatal(err)
	}
	root := repoRoot(t)
	put := exec.Command(nodePath(t), "node_modules/wrangler/bin/wrangler.js", "kv", "bulk", "put", file, "--binding", "CONFIG", "--local",
		"--persist-to", persistTo)
	put.Dir = root
	put.Env = nodeEnvironment(root, "CI=true")
	if output, err := put.CombinedOutput(); err != nil {
		t.Fatalf("wrangler kv bulk put: %v\n%s", err, output)
	}
}

// judge asks as the cluster of one policy.
func (p *product) judge(index int, asked review, version string) (verdict, error) {
	answer, err := post(p.client, p.url, credential(index), asked.body(version))
	if err != nil {
		return "", err
	}
	if answer.status == http.StatusServiceUnavailable {
		return readUndecided(answer)
	}
	var got struct {
		APIVersion, Kind string
		Status           struct {
			Allowed *bool
			Denied  *bool
			Reason  string
		}
	}
	if err := json.Unmarshal(answer.body, &got); err != nil {
		return "", fmt.Errorf("got %d %s", answer.status, answer.body)
	}
	isReview := got.APIVersion == authorizationGroup+version && got.Kind == "SubjectAccessReview"
	if answer.status != http.StatusOK || !isReview || got.Status.Allowed == nil {
		return "", fmt.Errorf("got %d %s, want 200 with allowed", answer.status, answer.body)
	}
	if got.Status.Reason == "" || got.Status.Denied != nil {
		return "", fmt.Errorf("got %s, want a reason and, in the list form, never a deny", answer.body)
	}
	return verdictOf(*got.Status.Allowed), nil
}

// readUndecided holds that "cannot be decided" is a Status that no client takes for an invitation to ask again.
func readUndecided(answer answer) (verdict, error) {
	var got struct {
		APIVersion, Kind, Message string
		Code                      int
	}
	err := json.Unmarshal(answer.body, &got)
	if err != nil || got.APIVersion != "v1" || got.Kind != "Status" || got.Code != answer.status || got.Message == "" {
		return "", fmt.Errorf("got 503 %s, want a Status", answer.body)
	}
	if answer.retryAfter != "" {
		return "", errors.New("got 503 with Retry-After")
	}
	return undecided, nil
}

func nodePath(t *testing.T) string {
	t.Helper()
	path := filepath.Join(repoRoot(t), "node_modules", ".bin", "node")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run npm ci first", err)
	}
	return path
}

// nodeEnvironment has the repository's own tools first and nothing of the product's settings from the shell that runs the test.
func nodeEnvironment(root string, settings ...string) []string {
	env := []string{
		"PATH=" + filepath.Join(root, "node_modules", ".bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + os.Getenv("HOME"),
		"WRANGLER_SEND_METRICS=false",
	}
	return append(env, settings...)
}
