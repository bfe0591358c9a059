package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

const memberPolicy = `[{
	"users": {"roles": ["member"], "projects": ["demo"]},
	"resource_permissions": {"default/pods": ["get", "list", "create"]},
	"nonresource_permissions": {"/metrics": ["get"]}
}]`

// TestPolicies asks kube-apiserver what Keystone's users may do, with the webhook before RBAC, configured both ways and in both versions.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, arrangement := range []struct {
		name, version string
		structured    bool
	}{
		{"flags and v1beta1", "v1beta1", false},
		{"structured configuration and v1", "v1", true},
	} {
		t.Run(arrangement.name, func(t *testing.T) {
			t.Parallel()
			s := startPolicyStage(t, arrangement.version, arrangement.structured)
			asAdmin := s.cluster.asAdmin(t)
			asAlice := s.cluster.withToken(t, s.login(t, alice).secret)
			asBob := s.cluster.withToken(t, s.login(t, bob).secret)
			s.cluster.must(t, asAdmin, "create", "role", "secret-reader", "--verb=get,list", "--resource=secrets")
			s.cluster.must(t, asAdmin, "create", "rolebinding", "bob-reads-secrets", "--role=secret-reader", "--user=bob")
			s.cluster.must(t, asAdmin, "create", "serviceaccount", "robot")
			s.cluster.must(t, asAdmin, "create", "rolebinding", "robot-reads-secrets", "--role=secret-reader", "--serviceaccount=default:robot")
			asRobot := s.cluster.withToken(t, s.secret(strings.TrimSpace(s.cluster.must(t, asAdmin, "create", "token", "robot"))))

			t.Run("what an entry allows, and nothing beside it", func(t *testing.T) {
				s.expectCan(t, asAlice, true, "get", "pods")
				s.expectCan(t, asAlice, true, "create", "pods")
				s.expectCan(t, asAlice, false, "delete", "pods")
				s.expectCan(t, asAlice, false, "create", "pods", "--subresource=exec")
				s.expectCan(t, asAlice, false, "get", "pods", "--subresource=log")
				s.expectCan(t, asAlice, false, "get", "pods", "--namespace=kube-system")
				s.expectCan(t, asAlice, true, "get", "/metrics")
				s.expectCan(t, asAlice, false, "get", "/logs")
				s.expectCan(t, asBob, false, "get", "pods")
			})
			t.Run("real requests", func(t *testing.T) {
				s.cluster.must(t, asAlice, "run", "exhibit", "--image=example.invalid/exhibit")
				s.cluster.must(t, asAlice, "get", "pods")
				s.expectForbidden(t, asAlice, "delete", "pod", "exhibit")
			})
			t.Run("RBAC goes on to allow", func(t *testing.T) {
				s.expectCan(t, asBob, true, "list", "secrets")
				s.expectCan(t, asAlice, false, "list", "secrets")
			})
			t.Run("a service account is untouched", func(t *testing.T) {
				s.expectCan(t, asRobot, true, "list", "secrets")
				s.expectCan(t, asRobot, false, "get", "pods")
			})
			t.Run("an edit of the policy takes effect", func(t *testing.T) {
				s.webhook.put(t, "policy", strings.Replace(memberPolicy, `"create"]`, `"delete"]`, 1))
				harness.Eventually(t, inForce, "alice may delete", func() error {
					if !s.can(t, asAlice, "delete", "pods") {
						return errors.New("not yet")
					}
					return nil
				})
				s.expectCan(t, asAlice, false, "create", "pods")
			})
			t.Run("an explicit deny ends RBAC's grants, and kubectl goes on working", func(t *testing.T) {
				s.webhook.put(t, "policy", `{"policies": [], "on_no_match": "deny"}`)
				harness.Eventually(t, inForce, "bob loses what RBAC gives him", func() error {
					if s.can(t, asBob, "list", "secrets") {
						return errors.New("not yet")
					}
					return nil
				})
				s.cluster.must(t, asBob, "api-resources")
				s.cluster.must(t, asBob, "get", "--raw", "/version")
				if got := s.cluster.whoami(t, asBob).Username; got != "bob" {
					t.Errorf("whoami: got %q, want bob", got)
				}
				s.cluster.must(t, asRobot, "get", "secrets")
				s.cluster.must(t, asAdmin, "get", "secrets")
			})
			t.Run("with the webhook down RBAC still allows, and nothing else does", func(t *testing.T) {
				s.webhook.Process.Stop(t)
				s.cluster.must(t, asRobot, "get", "secrets")
				if result := s.cluster.kubectl(t, asRobot, "get", "pods"); result.err == nil {
					t.Errorf("the robot reads pods: %s", result.stdout)
				}
			})
			t.Run("no token is in a log", s.expectNoSecretInLogs)
			s.stop(t)
		})
	}
}

// startPolicyStage puts the policy before anybody asks for it, so that it is in force from the first request on.
func startPolicyStage(t *testing.T, version string, structured bool) *stage {
	t.Helper()
	s := &stage{keystone: embeddedKeystone(t, "fernet")}
	s.proxy = startProxy(t, s.keystone)
	s.webhook = startWebhook(t, s.proxy.url())
	s.webhook.put(t, "policy", memberPolicy)
	options := clusterOptions{authenticationWebhook: s.webhook.kubeconfig, authenticationVersion: version}
	if structured {
		options.authorizationConfig = s.webhook.authorizationConfiguration(t, version)
	} else {
		options.authorizationWebhook, options.authorizationVersion = s.webhook.kubeconfig, version
	}
	s.cluster = startCluster(t, options)
	s.secrets = []string{s.webhook.callerToken}
	return s
}

// authorizationConfiguration is what docs/policy.md recommends: principals of Kubernetes itself never reach the webhook.
func (w *webhook) authorizationConfiguration(t *testing.T, version string) string {
	t.Helper()
	content, err := json.Marshal(map[string]any{
		"apiVersion": "apiserver.config.k8s.io/v1",
		"kind":       "AuthorizationConfiguration",
		"authorizers": []any{
			map[string]any{
				"type": "Webhook",
				"name": "keystone",
				"webhook": map[string]any{
					"timeout":                    "10s",
					"authorizedTTL":              "1s",
					"unauthorizedTTL":            "1s",
					"failurePolicy":              "NoOpinion",
					"subjectAccessReviewVersion": version,
					"matchConditionSubjectAccessReviewVersion": "v1",
					"connectionInfo":  map[string]any{"type": "KubeConfigFile", "kubeConfigFile": w.kubeconfig},
					"matchConditions": []any{map[string]any{"expression": "!request.user.startsWith('system:')"}},
				},
			},
			map[string]any{"type": "RBAC", "name": "rbac"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return harness.WriteFile(t, "authorization.json", content)
}

// can is kubectl auth can-i, whose answer is a word and whose exit code says the same.
func (s *stage) can(t *testing.T, config kubeconfig, args ...string) bool {
	t.Helper()
	result := s.cluster.kubectl(t, config, append([]string{"auth", "can-i"}, args...)...)
	switch answer := strings.TrimSpace(result.stdout); {
	case answer == "yes" && result.err == nil:
		return true
	case strings.HasPrefix(answer, "no") && result.err != nil:
		return false
	}
	t.Fatal(fmt.Errorf("kubectl auth can-i %s: %v\n%s%s", strings.Join(args, " "), result.err, result.stdout, result.stderr))
	return false
}

func (s *stage) expectCan(t *testing.T, config kubeconfig, want bool, args ...string) {
	t.Helper()
	if got := s.can(t, config, args...); got != want {
		t.Errorf("kubectl auth can-i %s: got %t, want %t", strings.Join(args, " "), got, want)
	}
}
