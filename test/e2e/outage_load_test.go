package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

const (
	crowdSize       = 20
	crowdTTLSeconds = "20"
	// backToNormal is the longest pause of an open breaker (30 s), one probe after the other for the users, and kube-apiserver's 10 s.
	backToNormal = time.Minute
)

// TestOutageUnderLoad takes Keystone away from users who are at work, for far longer than identities are served without it.
func TestOutageUnderLoad(t *testing.T) {
	s := startLoadStage(t, map[string]string{"IDENTITY_TTL_SECONDS": crowdTTLSeconds}, time.Second)
	people := s.logInCrowd(t, crowdSize)
	stop := people.start(t)
	outages := []struct {
		name       string
		length     time.Duration
		begin, end func(*testing.T)
		logged     []string
	}{
		{
			"Keystone stopped", phase(2*time.Minute, 45*time.Second),
			func(*testing.T) { s.proxy.off() }, s.proxy.on,
			[]string{"the connection failed", "breaker"},
		},
		{
			// Longer than the TTL, kube-apiserver's cache and the first time-out together, so that every user meets it.
			"Keystone hangs", 45 * time.Second,
			s.keystone.process.Freeze, func(*testing.T) { s.keystone.process.Thaw() },
			[]string{"did not answer in time", "breaker"},
		},
	}
	for _, outage := range outages {
		t.Run(outage.name, func(t *testing.T) {
			newcomer := s.login(t, bob) // issued before, and never shown to the webhook
			began := time.Now()
			outage.begin(t)
			people.useKubectl(t, outage.length/2)
			s.expectNewcomerRefused(t, newcomer, outage.logged)
			people.useKubectl(t, time.Until(began.Add(outage.length)))
			people.expectAllStale(t, began)
			outage.end(t)
			back := time.Now()
			t.Logf("Keystone was away for %s", back.Sub(began).Round(time.Millisecond))
			people.expectAllFreshAgain(t, back)
			if got := s.cluster.whoami(t, s.cluster.withToken(t, newcomer.secret)).Username; got != "bob" {
				t.Errorf("the newcomer is %q, want bob", got)
			}
			people.expectNoFailure(t, began)
		})
	}
	stop()
	people.expectNoFailure(t, time.Time{})
	t.Run("every process ends when asked", s.expectAllGone)
	t.Run("no token is in a log", s.expectNoSecretInLogs)
}

// expectNewcomerRefused holds that who was never seen stays out, and that whoever runs the cluster can read why.
func (s *stage) expectNewcomerRefused(t *testing.T, newcomer issuedToken, wanted []string) {
	t.Helper()
	seen, logged := len(s.webhook.audit()), len(s.cluster.apiserver.Output())
	s.cluster.expectUnauthorized(t, s.cluster.withToken(t, newcomer.secret))
	harness.Eventually(t, 10*time.Second, "a line of kube-apiserver that says why", func() error {
		for line := range strings.Lines(s.cluster.apiserver.Output()[logged:]) {
			for _, why := range wanted {
				if strings.Contains(line, "Unable to authenticate") && strings.Contains(line, "Keystone") && strings.Contains(line, why) {
					t.Log(strings.TrimSpace(line))
					return nil
				}
			}
		}
		return fmt.Errorf("there is none with one of %q", wanted)
	})
	harness.Eventually(t, 10*time.Second, "the audit line", func() error {
		for _, review := range s.webhook.audit()[seen:] {
			if review.Decision == "unknown" {
				t.Logf("audit: %+v", review)
				return nil
			}
		}
		return errors.New("no review was undecided")
	})
}

// expectAllStale holds that the identities were past their time and served all the same, and that both the audit line and the user's extra say so.
func (c *crowd) expectAllStale(t *testing.T, began time.Time) {
	t.Helper()
	audited := map[string]int{}
	for _, review := range c.stage.webhook.audit() {
		if review.Source == "stale" && review.Decision == "allow" {
			audited[review.User]++
		}
	}
	shown := c.usersWith(true, began)
	for _, token := range c.tokens {
		if name := token.User.Name; audited[name] == 0 || !shown[name] {
			t.Errorf("%s: %d audit lines with source stale, extra said so: %t", name, audited[name], shown[name])
		}
	}
}

// expectAllFreshAgain waits until Keystone vouches for everybody again, and holds that it stays so for longer than identities live.
func (c *crowd) expectAllFreshAgain(t *testing.T, back time.Time) {
	t.Helper()
	harness.Eventually(t, backToNormal, "no user is stale any more", func() error {
		for _, answer := range c.since(back) {
			if answer.stale {
				back = answer.ended
			}
		}
		if fresh := len(c.usersWith(false, back)); fresh < len(c.tokens) {
			return fmt.Errorf("%d of %d users", fresh, len(c.tokens))
		}
		if since := time.Since(back); since < 11*time.Second { // kube-apiserver may still hold what it was told
			return fmt.Errorf("for %s", since)
		}
		return nil
	})
	seen, from := len(c.stage.webhook.audit()), time.Now()
	c.useKubectl(t, 25*time.Second)
	sources := map[string]int{}
	for _, review := range c.stage.webhook.audit()[seen:] {
		sources[review.Decision+" by "+review.Source]++
	}
	t.Logf("last stale answer %s before; after Keystone came back: %v", from.Sub(back).Round(time.Millisecond), sources)
	if sources["allow by stale"] > 0 || sources["allow by keystone"]+sources["allow by memory"] == 0 || len(c.usersWith(true, from)) > 0 {
		t.Errorf("with Keystone back, reviews were answered %v", sources)
	}
}
