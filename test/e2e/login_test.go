package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// arrangements are the combinations of a Keystone and a version of TokenReview that are tried. Every version meets an embedded and a real
// Keystone, and every token format of a real Keystone meets one version: formats and versions know nothing of each other.
var arrangements = []struct {
	name          string
	version       string
	startKeystone func(*testing.T) *keystone
}{
	{"v1 with the embedded Keystone", "v1", func(t *testing.T) *keystone { return embeddedKeystone(t, "fernet") }},
	{"v1beta1 with the embedded Keystone", "v1beta1", func(t *testing.T) *keystone { return embeddedKeystone(t, "fernet") }},
	{"v1 with a real Keystone and fernet tokens", "v1", func(t *testing.T) *keystone { return realKeystone(t, "fernet") }},
	{"v1beta1 with a real Keystone and jws tokens", "v1beta1", func(t *testing.T) *keystone { return realKeystone(t, "jws") }},
}

// TestKeystoneUsersInKubernetes walks one cluster through its day; the last subtests look at what it left behind.
func TestKeystoneUsersInKubernetes(t *testing.T) {
	t.Parallel()
	for _, arrangement := range arrangements {
		t.Run(arrangement.name, func(t *testing.T) {
			t.Parallel()
			s := startStage(t, arrangement.startKeystone, arrangement.version)
			first := s.login(t, alice)

			t.Run("a Keystone user is who kubectl says", func(t *testing.T) { s.testWhoami(t, first, arrangement.version) })
			t.Run("kubectl --token on the command line", func(t *testing.T) { s.testDocumentedCommand(t, first) })
			t.Run("equal names of two domains are two users", func(t *testing.T) { s.testOtherDomain(t, first) })
			t.Run("a Keystone group bound by RBAC may read pods and another user may not", func(t *testing.T) { s.testRBAC(t, first) })
			t.Run("a valid token costs at most two Keystone calls", func(t *testing.T) { s.testCost(t, first) })
			t.Run("every new token gets in at once", func(t *testing.T) { s.testNewTokens(t) })
			t.Run("refused", func(t *testing.T) { s.testRefusals(t) })
			t.Run("while Keystone is stopped", func(t *testing.T) { s.testOutage(t, first) })
			t.Run("every process ends when asked", s.expectAllGone)
			t.Run("no token is in a log", s.expectNoSecretInLogs)
		})
	}
}

func (s *stage) testWhoami(t *testing.T, token issuedToken, version string) {
	seen := s.webhook.quiet(t)
	got := s.cluster.whoami(t, s.cluster.withToken(t, token.secret))

	if got.Username != "alice" || got.UID != token.User.ID {
		t.Errorf("user: got %q with uid %q, want alice with uid %q", got.Username, got.UID, token.User.ID)
	}
	wantGroups := sorted("developers", token.Project.ID, "system:authenticated")
	if !slices.Equal(sorted(got.Groups...), wantGroups) {
		t.Errorf("groups: got %q, want %q", got.Groups, wantGroups)
	}
	expectExtra(t, got.Extra, token)

	review := s.webhook.reviewsAfter(t, seen)[0]
	if review.APIVersion != "authentication.k8s.io/"+version && review.APIVersion != version {
		t.Errorf("the review was %s, want %s", review.APIVersion, version)
	}
	if review.Decision != "allow" || review.Source != "keystone" || review.Cluster != "dev" {
		t.Errorf("the first review of a token: got %+v, want it allowed by Keystone for cluster dev", review)
	}
}

// expectExtra holds that extra is what Keystone said, key by key, and nothing else.
func expectExtra(t *testing.T, got map[string][]string, token issuedToken) {
	t.Helper()
	var roles []string
	for _, role := range token.Roles {
		roles = append(roles, role.Name)
	}
	want := map[string][]string{
		"alpha.kubernetes.io/identity/project/id":       {token.Project.ID},
		"alpha.kubernetes.io/identity/project/name":     {token.Project.Name},
		"alpha.kubernetes.io/identity/roles":            sorted(roles...),
		"alpha.kubernetes.io/identity/user/domain/id":   {token.User.Domain.ID},
		"alpha.kubernetes.io/identity/user/domain/name": {token.User.Domain.Name},
		"keystone.openstack.org/project-domain-id":      {token.Project.Domain.ID},
		"keystone.openstack.org/scope":                  {"project"},
		"keystone.openstack.org/methods":                sorted(token.Methods...),
		"keystone.openstack.org/audit-ids":              token.AuditIDs,
		"keystone-edge-auth/authenticator":              {"keystone"},
	}
	for key, values := range want {
		if !slices.Equal(got[key], values) {
			t.Errorf("extra[%q]: got %q, want %q", key, got[key], values)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, expected := want[key]; !expected {
			t.Errorf("extra[%q]: got %q, want no such key", key, got[key])
		}
	}
}

// testDocumentedCommand types the line of the README, the only place where a token is on a command line.
func (s *stage) testDocumentedCommand(t *testing.T, token issuedToken) {
	result := s.cluster.shell(t, map[string]string{
		"KUBECONFIG": string(s.cluster.withoutCredentials(t)),
		"TOKEN":      token.secret,
	}, `kubectl --token "$TOKEN" auth whoami`)
	if result.err != nil {
		t.Fatalf("%v\n%s", result.err, result.stderr)
	}
	for _, want := range [][]string{{"Username", "alice"}, {"UID", token.User.ID}} {
		if !hasRow(result.stdout, want) {
			t.Errorf("no row %q in\n%s", want, result.stdout)
		}
	}
}

func hasRow(table string, want []string) bool {
	for line := range strings.Lines(table) {
		if slices.Equal(strings.Fields(line), want) {
			return true
		}
	}
	return false
}

func (s *stage) testOtherDomain(t *testing.T, home issuedToken) {
	token := s.login(t, otherAlice)
	got := s.cluster.whoami(t, s.cluster.withToken(t, token.secret))

	if want := "alice@" + token.User.Domain.ID; got.Username != want {
		t.Errorf("username: got %q, want %q", got.Username, want)
	}
	if got.UID != token.User.ID || got.UID == home.User.ID {
		t.Errorf("uid: got %q, want %q, and not %q", got.UID, token.User.ID, home.User.ID)
	}
	for _, group := range []string{"developers", home.Project.ID} {
		if slices.Contains(got.Groups, group) {
			t.Errorf("groups: got %q, which has %q of the other alice", got.Groups, group)
		}
	}
}

func (s *stage) testRBAC(t *testing.T, token issuedToken) {
	asAdmin := s.cluster.asAdmin(t)
	s.cluster.must(t, asAdmin, "create", "role", "pod-reader", "--verb=get,list", "--resource=pods")
	s.cluster.must(t, asAdmin, "create", "rolebinding", "developers-read-pods", "--role=pod-reader", "--group=developers")
	s.cluster.must(t, asAdmin, "run", "exhibit", "--image=example.invalid/exhibit")

	asAlice := s.cluster.withToken(t, token.secret)
	if got := strings.TrimSpace(s.cluster.must(t, asAlice, "get", "pods", "-o", "name")); got != "pod/exhibit" {
		t.Errorf("alice reads %q, want pod/exhibit", got)
	}
	s.expectForbidden(t, asAlice, "delete", "pod", "exhibit")

	asBob := s.cluster.withToken(t, s.login(t, bob).secret)
	if got := s.cluster.whoami(t, asBob).Username; got != "bob" {
		t.Errorf("bob is %q", got)
	}
	s.expectForbidden(t, asBob, "get", "pods")
}

func (s *stage) expectForbidden(t *testing.T, config kubeconfig, args ...string) {
	t.Helper()
	result := s.cluster.kubectl(t, config, args...)
	if result.err == nil || !strings.Contains(result.stderr, "Forbidden") {
		t.Errorf("kubectl %s: want Forbidden, got %v\n%s%s", strings.Join(args, " "), result.err, result.stdout, result.stderr)
	}
}

// testCost counts from the token's first use on: validation and groups, once each, however often the token comes.
func (s *stage) testCost(t *testing.T, token issuedToken) {
	config := s.cluster.withToken(t, token.secret)
	for range 5 {
		s.cluster.whoami(t, config)
	}
	if calls := s.proxy.answeredTo(token.secret); calls < 1 || calls > 2 {
		t.Errorf("%d Keystone calls", calls)
	}
}

// testNewTokens is a busy morning: no token is known yet, and each login is new calls to Keystone close upon the last ones.
func (s *stage) testNewTokens(t *testing.T) {
	const logins = 10
	failed := 0
	for range logins {
		config := s.cluster.withToken(t, s.login(t, alice).secret)
		if result := s.cluster.kubectl(t, config, "auth", "whoami"); result.err != nil {
			failed++
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d first logins failed", failed, logins)
	}
}

func sorted(values ...string) []string { return slices.Sorted(slices.Values(values)) }
