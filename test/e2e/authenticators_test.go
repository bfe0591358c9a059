package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// TestAuthenticators lets users into a cluster without Keystone: by static tokens, and by a password that nginx checks.
func TestAuthenticators(t *testing.T) {
	t.Parallel()
	service := startNginx(t)
	s := &stage{keystone: embeddedKeystone(t, "fernet")}
	s.startInFront(t, startWebhookWith, map[string]string{"BASIC_AUTH_URL": service}, clusterOptions{authenticationVersion: "v1", authenticationCacheTTL: time.Second})
	asAdmin := s.cluster.asAdmin(t)
	s.cluster.must(t, asAdmin, "create", "role", "pod-reader", "--verb=get,list", "--resource=pods")
	s.cluster.must(t, asAdmin, "create", "rolebinding", "legacy-reads", "--role=pod-reader", "--group=legacy")
	s.cluster.must(t, asAdmin, "create", "rolebinding", "ci-reads", "--role=pod-reader", "--user=ci-alice")

	alices := s.secret("static-token-of-alice-" + strconv.FormatInt(time.Now().UnixNano(), 36))
	brief := s.secret("static-token-that-expires-" + strconv.FormatInt(time.Now().UnixNano(), 36))
	expires := time.Now().Add(inForce + 15*time.Second)
	entry := func(token, more string) string {
		sum := sha256.Sum256([]byte(token))
		return fmt.Sprintf(`{"token": "sha256:%s", "username": "ci-alice"%s}`, hex.EncodeToString(sum[:]), more)
	}
	basic := `"basic": {"groups": ["legacy"]}`
	s.webhook.put(t, "authenticators", fmt.Sprintf(`{"static": [%s, %s], %s}`, entry(alices, ""),
		entry(brief, fmt.Sprintf(`, "expires": %q`, expires.UTC().Format(time.RFC3339))), basic))
	asAlice, asBrief := s.cluster.withToken(t, alices), s.cluster.withToken(t, brief)

	t.Run("a static token is its user, by RBAC", func(t *testing.T) {
		s.expectPods(t, asAlice)
		s.expectPods(t, asBrief)
		if got := s.cluster.whoami(t, asAlice); got.Username != "ci-alice" || got.Extra["keystone-edge-auth/authenticator"][0] != "static" {
			t.Errorf("whoami: %+v", got)
		}
	})
	t.Run("user1:pass1 reads pods by RBAC, and user1:pass2 is 401", func(t *testing.T) {
		s.expectPods(t, s.cluster.withToken(t, s.secret("user1:pass1")))
		s.cluster.expectUnauthorized(t, s.cluster.withToken(t, s.secret("user1:pass2")))
		if got := s.cluster.whoami(t, s.cluster.withToken(t, "user1:pass1")).Username; got != "basic:user1" {
			t.Errorf("whoami: %q", got)
		}
	})
	t.Run("both go on while Keystone is stopped", func(t *testing.T) {
		s.proxy.off()
		defer s.proxy.on(t)
		s.expectPods(t, asAlice)
		s.expectPods(t, s.cluster.withToken(t, "user1:pass1"))
	})
	t.Run("a token is refused from its expires on", func(t *testing.T) {
		s.eventuallyUnauthorized(t, asBrief, time.Until(expires)+15*time.Second)
		if time.Now().Before(expires) {
			t.Errorf("refused %s before its expires", time.Until(expires))
		}
		s.expectPods(t, asAlice)
	})
	t.Run("a token is refused when an edit has removed it", func(t *testing.T) {
		s.webhook.put(t, "authenticators", fmt.Sprintf(`{%s}`, basic))
		s.eventuallyUnauthorized(t, asAlice, inForce)
	})
	t.Run("every process ends when asked", s.expectAllGone)
	t.Run("no token and no password is in a log", s.expectNoSecretInLogs)
}

// expectPods holds that the user may list pods, once the documents are in force.
func (s *stage) expectPods(t *testing.T, config kubeconfig) {
	t.Helper()
	harness.Eventually(t, inForce, "pods can be listed", func() error {
		return s.cluster.kubectl(t, config, "get", "pod").err
	})
}

func (s *stage) eventuallyUnauthorized(t *testing.T, config kubeconfig, within time.Duration) {
	t.Helper()
	harness.Eventually(t, within, "the token is refused", func() error {
		if result := s.cluster.kubectl(t, config, "auth", "whoami"); !strings.Contains(result.stderr, unauthorized) {
			return errors.New("still accepted")
		}
		return nil
	})
}

// startNginx serves one page behind HTTP Basic authentication, for user1 with the password pass1.
func startNginx(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(path); err != nil {
		skipOrFail(t, "nginx is not installed: apt-get install nginx")
	}
	directory := t.TempDir()
	port := harness.FreePorts(t, 1)[0]
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("htpasswd", "user1:{PLAIN}pass1\n")
	write("page", "welcome\n")
	write("nginx.conf", fmt.Sprintf(`
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server {
    listen 127.0.0.1:%[2]d;
    root %[1]s;
    auth_basic "legacy";
    auth_basic_user_file %[1]s/htpasswd;
  }
}
`, directory, port))
	harness.Start(t, harness.Spec{
		Name: "nginx", Path: path, Args: []string{"-p", directory, "-c", filepath.Join(directory, "nginx.conf"), "-e", "stderr"},
		StopSignal: syscall.SIGTERM, DeathSignal: syscall.SIGKILL, EndsCleanly: true,
	})
	url := fmt.Sprintf("http://127.0.0.1:%d/page", port)
	harness.Eventually(t, 10*time.Second, "nginx asks for a password", func() error {
		answer, err := http.Get(url)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("got %d", answer.StatusCode)
		}
		return nil
	})
	return url
}
