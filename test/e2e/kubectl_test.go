package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

const unauthorized = "You must be logged in to the server"

// kubeconfig is a file that kubectl takes for --kubeconfig. JSON is YAML.
type kubeconfig string

// newKubeconfig writes a kubeconfig for this cluster with one user, readable only by its owner: a token on a command line can be
// read by every user of the machine.
func (c *cluster) newKubeconfig(t *testing.T, user map[string]any) kubeconfig {
	t.Helper()
	content, err := json.Marshal(map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"clusters":        []any{map[string]any{"name": "e2e", "cluster": map[string]any{"server": c.url, "certificate-authority": c.pki.caFile}}},
		"users":           []any{map[string]any{"name": "e2e", "user": user}},
		"contexts":        []any{map[string]any{"name": "e2e", "context": map[string]any{"cluster": "e2e", "user": "e2e", "namespace": "default"}}},
		"current-context": "e2e",
	})
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig(harness.WriteFile(t, "kubeconfig", content))
}

func (c *cluster) withToken(t *testing.T, token string) kubeconfig {
	t.Helper()
	return c.newKubeconfig(t, map[string]any{"token": token})
}

func (c *cluster) asAdmin(t *testing.T) kubeconfig {
	t.Helper()
	return c.newKubeconfig(t, map[string]any{"client-certificate": c.pki.adminCertFile, "client-key": c.pki.adminKeyFile})
}

// withoutCredentials knows where the cluster is and nothing else.
func (c *cluster) withoutCredentials(t *testing.T) kubeconfig {
	t.Helper()
	return c.newKubeconfig(t, map[string]any{})
}

type kubectlResult struct {
	stdout, stderr string
	err            error
}

// kubectl runs the real program to its end.
func (c *cluster) kubectl(t *testing.T, config kubeconfig, args ...string) kubectlResult {
	t.Helper()
	return c.run(t, nil, tools.Path("kubectl"), append([]string{"--kubeconfig=" + string(config)}, args...)...)
}

// shell runs a line as a user would type it, with kubectl on the PATH and these variables exported.
func (c *cluster) shell(t *testing.T, variables map[string]string, line string) kubectlResult {
	t.Helper()
	return c.run(t, variables, "/bin/sh", "-c", line)
}

func (c *cluster) run(t *testing.T, variables map[string]string, path string, args ...string) kubectlResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	// A home of its own: the machine's kubeconfig, kuberc and discovery cache must not decide a test. The last value of a name counts.
	command.Env = append(os.Environ(), "HOME="+c.kubectlHome, "KUBECONFIG=",
		"PATH="+filepath.Dir(tools.Path("kubectl"))+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return kubectlResult{stdout: stdout.String(), stderr: stderr.String(), err: err}
}

// must is kubectl for steps whose failure leaves nothing to test.
func (c *cluster) must(t *testing.T, config kubeconfig, args ...string) string {
	t.Helper()
	result := c.kubectl(t, config, args...)
	if result.err != nil {
		t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), result.err, result.stdout, result.stderr)
	}
	return result.stdout
}

// userInfo is who kube-apiserver takes the caller for: status.userInfo of a SelfSubjectReview.
type userInfo struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

func (c *cluster) whoami(t *testing.T, config kubeconfig) userInfo {
	t.Helper()
	var review struct {
		Status struct {
			UserInfo userInfo `json:"userInfo"`
		} `json:"status"`
	}
	if err := json.Unmarshal([]byte(c.must(t, config, "auth", "whoami", "-o", "json")), &review); err != nil {
		t.Fatal(err)
	}
	return review.Status.UserInfo
}

// expectUnauthorized holds that kube-apiserver takes the token for nobody's (401).
func (c *cluster) expectUnauthorized(t *testing.T, config kubeconfig) {
	t.Helper()
	result := c.kubectl(t, config, "auth", "whoami")
	if result.err == nil || !strings.Contains(result.stderr, unauthorized) {
		t.Fatalf("want %q, got %v\n%s%s", unauthorized, result.err, result.stdout, result.stderr)
	}
}
