package main

import (
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// stage is everything that one arrangement consists of: Keystone ◀ proxy ◀ webhook ◀ kube-apiserver ◀ kubectl.
type stage struct {
	keystone *keystone
	proxy    *keystoneProxy
	webhook  *webhook
	cluster  *cluster
	secrets  []string
}

// startStage starts all of it in the order in which each part needs the one before.
func startStage(t *testing.T, startKeystone func(*testing.T) *keystone, version string) *stage {
	t.Helper()
	s := &stage{keystone: startKeystone(t)}
	s.startInFront(t, startWebhookWith, nil, clusterOptions{authenticationVersion: version})
	return s
}

// startLoadStage is a stage with an embedded Keystone for tests that run under load and set variables of the product; kube-apiserver
// keeps the webhook's answers for cacheTTL, beside its 10 s for successes.
func startLoadStage(t *testing.T, variables map[string]string, cacheTTL time.Duration) *stage {
	t.Helper()
	return startEmbeddedStage(t, startWebhookWith, variables, cacheTTL)
}

// startTimedStage is startLoadStage for tests that compare times: nothing but the product stands behind the webhook's address.
func startTimedStage(t *testing.T, variables map[string]string, cacheTTL time.Duration) *stage {
	t.Helper()
	return startEmbeddedStage(t, startBareWebhook, variables, cacheTTL)
}

type webhookStarter func(t *testing.T, keystoneURL string, variables map[string]string) *webhook

func startEmbeddedStage(t *testing.T, startWebhook webhookStarter, variables map[string]string, cacheTTL time.Duration) *stage {
	t.Helper()
	s := &stage{keystone: embeddedKeystone(t, "fernet")}
	s.startInFront(t, startWebhook, variables, clusterOptions{authenticationVersion: "v1", authenticationCacheTTL: cacheTTL})
	return s
}

// startInFront starts everything but Keystone, which is there already.
func (s *stage) startInFront(t *testing.T, startWebhook webhookStarter, variables map[string]string, options clusterOptions) {
	t.Helper()
	s.proxy = startProxy(t, s.keystone)
	s.webhook = startWebhook(t, s.proxy.url(), variables)
	options.authenticationWebhook = s.webhook.kubeconfig
	s.cluster = startCluster(t, options)
	s.secrets = []string{s.webhook.callerToken}
}

// login gets a token from Keystone and keeps it in mind for the search of the logs.
func (s *stage) login(t *testing.T, who account) issuedToken {
	t.Helper()
	token := s.keystone.issue(t, who)
	s.secrets = append(s.secrets, token.secret)
	return token
}

// secret keeps a token in mind that the test made itself.
func (s *stage) secret(token string) string {
	s.secrets = append(s.secrets, token)
	return token
}

func (s *stage) processes() []*harness.Process {
	processes := []*harness.Process{s.cluster.apiserver, s.cluster.etcd, s.webhook.Process}
	if s.keystone.process != nil {
		processes = append(processes, s.keystone.process)
	}
	return processes
}

// stop ends every program, the last to start first.
func (s *stage) stop(t *testing.T) {
	t.Helper()
	s.cluster.stop(t)
	s.webhook.Process.Stop(t)
	if s.proxy != nil {
		s.proxy.off()
	}
	if s.keystone.process != nil {
		s.keystone.process.Stop(t)
	}
}

// expectAllGone ends the stage and holds that nothing of it is left.
func (s *stage) expectAllGone(t *testing.T) {
	t.Helper()
	s.stop(t)
	for _, p := range s.processes() {
		if left := p.Survivors(); len(left) > 0 {
			t.Errorf("%s: still there: %v", p.Name, left)
		}
	}
}

// expectNoSecretInLogs searches what the webhook and kube-apiserver wrote for every token of the run, and for its
// beginning and end: a shortened token is still most of one.
func (s *stage) expectNoSecretInLogs(t *testing.T) {
	t.Helper()
	if len(s.webhook.audit()) == 0 || s.cluster.apiserver.Output() == "" {
		t.Fatal("there is no log to search")
	}
	for _, p := range []*harness.Process{s.webhook.Process, s.cluster.apiserver} {
		log := p.Output()
		for i, secret := range s.secrets {
			for _, part := range telling(secret) {
				if strings.Contains(log, part) {
					t.Errorf("token %d of %d, or a part of it, is in the log of %s", i+1, len(s.secrets), p.Name)
					break
				}
			}
		}
	}
}

// telling are the parts of a token that must not be seen. The first characters of a JWT are its header, which is no secret and is the same in
// many; those of a fernet token are a version and the time: 40 reach into its random part.
func telling(token string) []string {
	const enough = 40
	if len(token) <= enough {
		return []string{token}
	}
	body := token[strings.IndexByte(token, '.')+1:]
	return []string{token, body[:min(enough, len(body))], token[len(token)-enough:]}
}
