package main

import (
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	garbagePerSecond = 200
	userPerSecond    = 20
	// userTokens are more than a user uses within kube-apiserver's 10 s for successes, so that the webhook is asked each time.
	userTokens = 15 * userPerSecond
	mostSlower = 2.0
	// searched are so many tokens of a flood that the logs are searched for; all would take longer than the flood.
	searched = 300
)

// TestGarbageFlood is what one cluster's issue reported: 60,000 tokens in five minutes that are nobody's.
func TestGarbageFlood(t *testing.T) {
	// The user's lines come once in 15 s for each token and are all written. Garbage is one subject, whose repeats are counted.
	s := startTimedStage(t, map[string]string{"IDENTITY_TTL_SECONDS": "300", "AUDIT_REPEATS_SECONDS": "10"}, 0)
	user := s.logInOften(t, userTokens)
	user.getKnown(t)
	seen := len(s.webhook.audit())

	before := user.ask(t, phase(time.Minute, 20*time.Second))
	if fromMemory := s.allowedFrom("memory", seen); fromMemory < len(before)*9/10 {
		t.Errorf("%d of %d requests reached the webhook's memory: it is kube-apiserver's that is measured", fromMemory, len(before))
	}

	flood := &garbageFlood{stage: s}
	length := phase(5*time.Minute, 30*time.Second)
	during := flood.around(t, length, func() []time.Duration { return user.ask(t, length) })

	t.Run("all of it is refused", func(t *testing.T) {
		t.Logf("%d garbage tokens in %s: %v", flood.sent, length, flood.statuses.counts)
		if want := garbagePerSecond * int(length.Seconds()); flood.sent != want || flood.statuses.counts[http.StatusText(http.StatusUnauthorized)] != want {
			t.Errorf("%d garbage tokens sent, want %d, and each answered with 401: %v", flood.sent, want, flood.statuses.counts)
		}
	})
	t.Run("Keystone is asked about none of it", func(t *testing.T) {
		unknown := user.lookedUpBeside(s.proxy)
		t.Logf("%d Keystone calls in all, %d look-ups of other tokens than the user's %d", s.proxy.calls(), unknown, userTokens)
		if unknown != 0 {
			t.Errorf("Keystone was asked %d times about garbage", unknown)
		}
	})
	t.Run("a cached user waits at most twice as long", func(t *testing.T) {
		for range 2 {
			if !isSlower(t, before, during) {
				return
			}
			// Once more, with a quiet phase next to it: this machine may have been busy with something else.
			before = user.ask(t, phase(time.Minute, 20*time.Second))
			during = (&garbageFlood{stage: s}).around(t, time.Minute, func() []time.Duration { return user.ask(t, time.Minute) })
		}
		if isSlower(t, before, during) {
			t.Errorf("the user's p99 is more than %.1f times what it is without garbage, three times", mostSlower)
		}
	})
	t.Run("every process ends when asked", s.expectAllGone)
	t.Run("no token is in a log", s.expectNoSecretInLogs)
}

func isSlower(t *testing.T, before, during []time.Duration) bool {
	t.Helper()
	for _, percent := range []int{50, 90, 99} {
		t.Logf("p%d: %s before (%d requests), %s during (%d requests)", percent,
			percentile(before, percent), len(before), percentile(during, percent), len(during))
	}
	ratio := float64(percentile(during, 99)) / float64(percentile(before, 99))
	t.Logf("ratio of the p99s: %.2f", ratio)
	return ratio > mostSlower
}

// busyUser is one user with many tokens, used in turn.
type busyUser struct {
	stage  *stage
	tokens []issuedToken
	next   int
}

func (s *stage) logInOften(t *testing.T, count int) *busyUser {
	t.Helper()
	user := &busyUser{stage: s}
	for range count {
		user.tokens = append(user.tokens, s.login(t, alice))
	}
	return user
}

// getKnown uses each token once, as slowly as LOOKUPS demands of tokens that nobody has seen before.
func (u *busyUser) getKnown(t *testing.T) {
	t.Helper()
	limit, period := lookUpLimit(t)
	perSecond := limit * 9 / 10 / int(period.Seconds())
	u.askAt(t, perSecond, time.Duration(len(u.tokens))*time.Second/time.Duration(perSecond)+time.Second)
	u.next = 0
}

// ask sends requests at the user's pace for that long and returns how long each took; one that fails fails the test.
func (u *busyUser) ask(t *testing.T, length time.Duration) []time.Duration {
	t.Helper()
	return u.askAt(t, userPerSecond, length)
}

func (u *busyUser) askAt(t *testing.T, perSecond int, length time.Duration) []time.Duration {
	t.Helper()
	client, first := u.stage.cluster.userHTTP(t), u.next
	var mutex sync.Mutex
	var times []time.Duration
	var failures tally
	u.next += pace(t.Context(), length, perSecond, func(i int) {
		token := u.tokens[(first+i)%len(u.tokens)]
		answer := u.stage.cluster.ask(client, token.secret)
		if failure := answer.failure(token.User.Name); failure != "" {
			failures.add(failure)
		}
		mutex.Lock()
		defer mutex.Unlock()
		times = append(times, answer.took)
	})
	if len(failures.counts) > 0 {
		t.Errorf("of %d requests of the cached user some failed: %v", len(times), failures.counts)
	}
	return times
}

// lookedUpBeside is how often Keystone was asked to validate a token that is not the user's.
func (u *busyUser) lookedUpBeside(p *keystoneProxy) int {
	others := p.lookUpsOf()
	for _, token := range u.tokens {
		delete(others, token.secret)
	}
	sum := 0
	for _, count := range others {
		sum += count
	}
	return sum
}

// allowedFrom counts the reviews after that line which were allowed from the source.
func (s *stage) allowedFrom(source string, seen int) int {
	count := 0
	for _, review := range s.webhook.audit()[seen:] {
		if review.Decision == "allow" && review.Source == source {
			count += 1 + review.Repeats
		}
	}
	return count
}

// garbageFlood sends garbage of every kind and counts what comes back.
type garbageFlood struct {
	stage    *stage
	sent     int
	statuses tally
}

// around floods for that long while the user asks.
func (f *garbageFlood) around(t *testing.T, length time.Duration, ask func() []time.Duration) []time.Duration {
	t.Helper()
	client, cluster := f.stage.cluster.userHTTP(t), f.stage.cluster
	// Made before: to sign tokens costs more than to refuse them.
	garbage := make([]string, garbagePerSecond*int(length.Seconds()))
	for i := range garbage {
		garbage[i] = garbageKinds[i%len(garbageKinds)](t, cluster)
	}
	var flooding sync.WaitGroup
	flooding.Go(func() {
		f.sent = pace(t.Context(), length, garbagePerSecond, func(i int) {
			answer := cluster.ask(client, garbage[i])
			if answer.err != nil {
				f.statuses.add(answer.err.Error())
				return
			}
			f.statuses.add(http.StatusText(answer.status))
		})
	})
	times := ask()
	flooding.Wait()
	f.stage.secrets = append(f.stage.secrets, garbage[:searched]...)
	return times
}

// TestForgedTokenFlood sends tokens that only Keystone can tell from its own.
func TestForgedTokenFlood(t *testing.T) {
	const perSecond, tokens = 100, 3000
	limit, period := lookUpLimit(t)
	s := startLoadStage(t, map[string]string{"IDENTITY_TTL_SECONDS": crowdTTLSeconds}, time.Second)
	people := s.logInCrowd(t, crowdSize)
	stop := people.start(t)
	time.Sleep(period) // the crowd's own first look-ups leave the limiter's window
	began, seen := time.Now(), len(s.webhook.audit())
	before := maps.Clone(s.proxy.lookUpsOf())

	client := s.cluster.userHTTP(t)
	var statuses tally
	forged := make([]string, tokens)
	for i := range forged {
		forged[i] = forgedFernetToken()
	}
	pace(t.Context(), tokens/perSecond*time.Second, perSecond, func(i int) {
		answer := s.cluster.ask(client, forged[i])
		if answer.err != nil {
			statuses.add(answer.err.Error())
			return
		}
		statuses.add(http.StatusText(answer.status))
	})
	took := time.Since(began)
	s.secrets = append(s.secrets, forged[:searched]...)

	t.Run("all of it is refused", func(t *testing.T) {
		if statuses.counts[http.StatusText(http.StatusUnauthorized)] != tokens {
			t.Errorf("want 401 to all %d forged tokens, got %v", tokens, statuses.counts)
		}
	})
	t.Run("Keystone is asked about no more of it than LOOKUPS allows", func(t *testing.T) {
		asked, lookUps := 0, s.proxy.lookUpsOf()
		for _, token := range forged {
			asked += lookUps[token]
		}
		most := limit * (int(took/period) + 2) // windows are the limiter's, so both ends are parts of one
		reasons := map[string]int{}
		for _, review := range s.webhook.audit()[seen:] {
			reasons[review.Reason]++
		}
		t.Logf("%d look-ups of %d forged tokens in %s, at most %d; reviews: %v", asked, tokens, took.Round(time.Millisecond), most, reasons)
		if asked == 0 || asked > most {
			t.Errorf("%d look-ups of forged tokens, want some and at most %d", asked, most)
		}
		if reasons["keystone_rate_limited"] == 0 {
			t.Error("no review was rate limited: something else kept the calls down")
		}
	})
	t.Run("cached users go on, and Keystone goes on vouching for them", func(t *testing.T) {
		people.expectNoFailure(t, began)
		lookUps := s.proxy.lookUpsOf()
		for _, token := range people.tokens {
			if lookUps[token.secret] <= before[token.secret] {
				t.Errorf("%s: Keystone was not asked again", token.User.Name)
			}
		}
		t.Logf("%d of %d users were served stale", len(people.usersWith(true, began)), crowdSize)
	})
	stop()
	t.Run("every process ends when asked", s.expectAllGone)
	t.Run("no token is in a log", s.expectNoSecretInLogs)
}
