package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// testOutage stops Keystone under a running cluster and starts it again. Nothing else is restarted.
func (s *stage) testOutage(t *testing.T, known issuedToken) {
	asKnown := s.cluster.withToken(t, known.secret)
	s.cluster.whoami(t, asKnown)
	asNewcomer := s.cluster.withToken(t, s.login(t, s.keystone.admin()).secret) // issued before, and never shown to the webhook
	s.proxy.off()

	t.Run("a cached user goes on", func(t *testing.T) { s.expectServedFromCache(t, asKnown) })

	t.Run("a new user is refused, and kube-apiserver's log says why", func(t *testing.T) {
		seen, logged := s.webhook.quiet(t), len(s.cluster.apiserver.Output())
		s.cluster.expectUnauthorized(t, asNewcomer)
		if review := s.webhook.reviewsAfter(t, seen)[0]; review.Decision != "unknown" {
			t.Errorf("the webhook decided %q (%s), want unknown", review.Decision, review.Reason)
		}
		harness.Eventually(t, 10*time.Second, "a line of kube-apiserver that names Keystone", func() error {
			for line := range strings.Lines(s.cluster.apiserver.Output()[logged:]) {
				if strings.Contains(line, "Unable to authenticate") && strings.Contains(line, "Keystone") {
					t.Log(strings.TrimSpace(line))
					return nil
				}
			}
			return errors.New("there is none")
		})
	})

	s.proxy.on(t)
	t.Run("the new user gets in when Keystone is back, without a restart", func(t *testing.T) {
		harness.Eventually(t, time.Minute, "the login", func() error {
			result := s.cluster.kubectl(t, asNewcomer, "auth", "whoami")
			if result.err != nil {
				return fmt.Errorf("%w: %s", result.err, result.stderr)
			}
			return nil
		})
		for _, p := range s.processes() {
			if err := p.ExitError(); err != nil {
				t.Error(err)
			}
		}
	})
}

// expectServedFromCache logs in again and again, each time successfully, until kube-apiserver has forgotten its own copy of the answer
// and the webhook has answered from its memory.
func (s *stage) expectServedFromCache(t *testing.T, config kubeconfig) {
	t.Helper()
	seen := s.webhook.quiet(t)
	harness.Eventually(t, 30*time.Second, "an answer of the webhook from its cache", func() error {
		if result := s.cluster.kubectl(t, config, "auth", "whoami"); result.err != nil {
			t.Fatalf("%v\n%s", result.err, result.stderr)
		}
		for _, review := range s.webhook.audit()[seen:] {
			if review.Decision == "allow" && slices.Contains([]string{"memory", "kv", "stale"}, review.Source) {
				return nil
			}
		}
		return errors.New("kube-apiserver has not asked yet")
	})
}
