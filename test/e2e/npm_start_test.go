package main

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

// TestNpmStart follows the README on a developer's machine: `npm start`, a token of the Keystone that comes with it, kubectl, Ctrl-C.
func TestNpmStart(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal(err)
	}
	ports := harness.FreePorts(t, 2)
	s := &stage{keystone: &keystone{url: fmt.Sprintf("http://127.0.0.1:%d/v3", ports[1])}}
	s.webhook = launchWebhook(t, map[string]string{"PORT": strconv.Itoa(ports[0]), "KEYSTONE_PORT": strconv.Itoa(ports[1])}, harness.Spec{
		Name:      "npm-start",
		Path:      npm,
		Args:      []string{"start"},
		StopGroup: true,
	})
	s.cluster = startCluster(t, clusterOptions{authenticationWebhook: s.webhook.kubeconfig, authenticationVersion: "v1"})
	s.secrets = []string{s.webhook.callerToken}
	token := s.login(t, alice)

	t.Run("a Keystone user is who kubectl says", func(t *testing.T) { s.testWhoami(t, token, "v1") })
	t.Run("kubectl --token on the command line", func(t *testing.T) { s.testDocumentedCommand(t, token) })
	t.Run("every process ends on Ctrl-C", s.expectAllGone)
	t.Run("both ports are free again", func(t *testing.T) {
		for _, port := range ports {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Error(err)
				continue
			}
			listener.Close()
		}
	})
	t.Run("no token is in a log", s.expectNoSecretInLogs)
}
