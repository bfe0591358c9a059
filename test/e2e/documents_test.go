package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// inForce is what an edit may take: the promise is 60 s, and kube-apiserver remembers a success for 10 s more.
const inForce = 75 * time.Second

// TestDocuments edits documents as administrators do, with wrangler, under a running cluster.
func TestDocuments(t *testing.T) {
	t.Parallel()
	s := startStage(t, func(t *testing.T) *keystone { return embeddedKeystone(t, "fernet") }, "v1")
	cached, other := s.login(t, alice), s.login(t, bob)
	asAlice, asBob := s.cluster.withToken(t, cached.secret), s.cluster.withToken(t, other.secret)
	s.cluster.whoami(t, asAlice)
	s.cluster.whoami(t, asBob)
	started := time.Now()
	asked := func() int { return s.proxy.answeredTo(cached.secret) + s.proxy.answeredTo(other.secret) }

	t.Run("an edit of the mapping reaches a cached token and RBAC", func(t *testing.T) {
		asAdmin := s.cluster.asAdmin(t)
		s.cluster.must(t, asAdmin, "create", "role", "map-reader", "--verb=get,list", "--resource=configmaps")
		s.cluster.must(t, asAdmin, "create", "rolebinding", "operators", "--role=map-reader", "--group=demo:member")
		s.expectForbidden(t, asAlice, "get", "configmaps")
		s.webhook.put(t, "mapping", `{"rules": [{"role": "member", "project": "demo", "groups": ["{project.name}:{role}"]}]}`)
		harness.Eventually(t, inForce, "alice reads configmaps by her new group", func() error {
			return s.cluster.kubectl(t, asAlice, "get", "configmaps", "-o", "name").err
		})
		s.expectForbidden(t, asBob, "get", "configmaps")
	})
	t.Run("a broken edit and a deletion change nothing and show in /readyz", func(t *testing.T) {
		s.webhook.put(t, "mapping", `{"rules": [{"roles": "member", "groups": ["everybody"]}]}`)
		s.webhook.expectReadyz(t, `rules[0].roles`)
		s.expectGroup(t, asAlice, "demo:member", true)
		s.webhook.wrangler(t, "delete", "mapping")
		s.webhook.expectReadyz(t, `was deleted`)
		s.expectGroup(t, asAlice, "demo:member", true)
		s.expectGroup(t, asBob, "everybody", false)
	})
	t.Run("a denied user is out although cached, another stays", func(t *testing.T) {
		s.webhook.put(t, "mapping", fmt.Sprintf(`{"deny": {"users": [%q]}}`, cached.User.ID))
		harness.Eventually(t, inForce, "alice is out", func() error {
			if result := s.cluster.kubectl(t, asAlice, "auth", "whoami"); !strings.Contains(result.stderr, unauthorized) {
				return fmt.Errorf("got %q", result.stdout)
			}
			return nil
		})
		s.cluster.whoami(t, asBob)
	})
	t.Run("all of it without another look-up of a token", func(t *testing.T) {
		// Two calls for each of the two users, again whenever the identities' own time of 120 s has passed.
		if most := 4 * (1 + int(time.Since(started)/(120*time.Second))); asked() > most {
			t.Errorf("Keystone was asked %d times about the two tokens, want at most %d", asked(), most)
		}
	})
	t.Run("a new caller is let in and a removed one is not", func(t *testing.T) {
		const credential = "the-credential-of-another-cluster"
		if status := s.webhook.getReadyz(t, credential).status; status != http.StatusUnauthorized {
			t.Fatalf("before: got %d, want 401", status)
		}
		digest := sha256.Sum256([]byte(credential))
		s.webhook.put(t, "callers", fmt.Sprintf(`{"other": {"credentials": ["sha256:%s"]}}`, hex.EncodeToString(digest[:])))
		s.webhook.expectCaller(t, credential, true)
		s.webhook.put(t, "callers", "{}")
		s.webhook.expectCaller(t, credential, false)
	})
	t.Run("every process ends when asked", s.expectAllGone)
}

func (s *stage) expectGroup(t *testing.T, config kubeconfig, group string, want bool) {
	t.Helper()
	if got := s.cluster.whoami(t, config).Groups; slices.Contains(got, group) != want {
		t.Errorf("groups: got %q, want %q among them: %t", got, group, want)
	}
}

// put edits a document by the documented command.
func (w *webhook) put(t *testing.T, key, document string) {
	t.Helper()
	path := harness.WriteFile(t, "document.json", []byte(document))
	w.wrangler(t, "put", key, "--path", path)
}

func (w *webhook) wrangler(t *testing.T, verb, key string, more ...string) {
	t.Helper()
	harness.Wrangler(t, w.StateDir, append([]string{"key", verb, key}, more...)...)
}

type readyz struct {
	status int
	body   string
}

func (w *webhook) getReadyz(t *testing.T, credential string) readyz {
	t.Helper()
	client, err := harness.HTTPSClient(t, w.CertificateFile(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+credential)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !json.Valid(body) {
		t.Fatalf("/readyz: %v\n%s", err, body)
	}
	return readyz{response.StatusCode, string(body)}
}

func (w *webhook) expectReadyz(t *testing.T, want string) {
	t.Helper()
	harness.Eventually(t, inForce, "/readyz says "+want, func() error {
		if got := w.getReadyz(t, w.callerToken); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, want) {
			return fmt.Errorf("got %d %s", got.status, got.body)
		}
		return nil
	})
}

func (w *webhook) expectCaller(t *testing.T, credential string, known bool) {
	t.Helper()
	harness.Eventually(t, inForce, fmt.Sprintf("the caller is known: %t", known), func() error {
		if got := w.getReadyz(t, credential); (got.status != http.StatusUnauthorized) != known {
			return fmt.Errorf("got %d", got.status)
		}
		return nil
	})
}
