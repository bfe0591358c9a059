package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// testRefusals sends what must not log in. Each case also holds that the webhook was asked: kube-apiserver's own refusal would prove nothing.
func (s *stage) testRefusals(t *testing.T) {
	withoutCall := []struct{ name, token string }{
		{"garbage", garbageToken()},
		{"an expired ServiceAccount token of this cluster", s.cluster.expiredServiceAccountToken(t)},
		{"an OpenID Connect token of another issuer", foreignIDToken(t)},
	}
	for _, refused := range withoutCall {
		t.Run(refused.name+", without a Keystone call", func(t *testing.T) { s.expectRefused(t, s.secret(refused.token), 0) })
	}

	t.Run("a fernet token that Keystone never issued", func(t *testing.T) {
		forged := s.secret(forgedFernetToken())
		s.expectRefused(t, forged, 1)
		s.expectRefused(t, forged, 0) // remembered for REJECTION_TTL_SECONDS
	})

	t.Run("a revoked token", func(t *testing.T) {
		revoked := s.login(t, bob)
		s.keystone.revoke(t, revoked)
		s.expectRefused(t, revoked.secret, 1)
	})

	t.Run("a token that expires while it is in use, without a further Keystone call", s.testExpiry)
}

// testExpiry uses a token past its end. It ends before kube-apiserver's own copy of the first answer does (10 s), so that it is an expired token
// that the webhook is asked about next.
func (s *stage) testExpiry(t *testing.T) {
	token := s.keystone.issueShortLived(t, bob, 8*time.Second)
	config := s.cluster.withToken(t, s.secret(token.secret))
	if got := s.cluster.whoami(t, config).Username; got != "bob" {
		t.Errorf("username: got %q, want bob", got)
	}
	seen, calls := s.webhook.quiet(t), s.proxy.answeredTo(token.secret)
	harness.Eventually(t, 30*time.Second, "the end of the token", func() error {
		result := s.cluster.kubectl(t, config, "auth", "whoami")
		if result.err == nil {
			return errors.New("the user is still let in")
		}
		if !strings.Contains(result.stderr, unauthorized) {
			return fmt.Errorf("%w: %s", result.err, result.stderr)
		}
		return nil
	})
	if review := s.webhook.reviewsAfter(t, seen)[0]; review.Decision != "deny" {
		t.Errorf("the webhook decided %q (%s), want deny", review.Decision, review.Reason)
	}
	if made := s.proxy.answeredTo(token.secret) - calls; made != 0 {
		t.Errorf("%d Keystone calls for an expired token, want none", made)
	}
}

// expectRefused holds that the token is 401 to kubectl, a definite no of the webhook, and costs so many Keystone calls.
func (s *stage) expectRefused(t *testing.T, token string, wantCalls int) {
	t.Helper()
	seen, calls := s.webhook.quiet(t), s.proxy.calls()
	s.cluster.expectUnauthorized(t, s.cluster.withToken(t, token))
	reviews := s.webhook.reviewsAfter(t, seen)
	for _, review := range reviews {
		if review.Decision != "deny" {
			t.Errorf("the webhook decided %q (%s), want deny", review.Decision, review.Reason)
		}
	}
	if made := s.proxy.calls() - calls; made != wantCalls {
		t.Errorf("%d Keystone calls, want %d", made, wantCalls)
	}
	if reported := reviews[0].KeystoneCalls; reported != wantCalls {
		t.Errorf("the audit line says %d Keystone calls, want %d", reported, wantCalls)
	}
}
