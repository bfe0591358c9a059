package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// createUsers makes users by Keystone's API, each a member of the project demo.
func (k *keystone) createUsers(t *testing.T, count int) []account {
	t.Helper()
	admin, member := k.issue(t, k.admin()), k.issue(t, alice)
	header := func() http.Header { return http.Header{"X-Auth-Token": {admin.secret}} }
	users := make([]account, count)
	for i := range users {
		user := account{user: fmt.Sprintf("user-%02d-%s", i, rand.Text()[:8]), password: rand.Text(), domain: "Default", project: "demo"}
		var created struct {
			User named `json:"user"`
		}
		k.call(t, apiCall{
			method: http.MethodPost, path: "/users", header: header(), want: http.StatusCreated, into: &created,
			body: map[string]any{"user": map[string]any{"name": user.user, "password": user.password, "domain_id": "default"}},
		})
		path := "/projects/" + member.Project.ID + "/users/" + created.User.ID + "/roles/" + member.Roles[0].ID
		k.call(t, apiCall{method: http.MethodPut, path: path, header: header(), want: http.StatusNoContent})
		users[i] = user
	}
	return users
}

// crowd is users with a token each who keep asking kube-apiserver who they are.
type crowd struct {
	stage  *stage
	tokens []issuedToken

	mutex   sync.Mutex
	answers []crowdAnswer
	running sync.WaitGroup
}

type crowdAnswer struct {
	ended   time.Time
	user    string
	failure string // empty when the user was let in
	stale   bool
}

// logInCrowd makes the users and logs each in once.
func (s *stage) logInCrowd(t *testing.T, count int) *crowd {
	t.Helper()
	c := &crowd{stage: s}
	for _, who := range s.keystone.createUsers(t, count) {
		token := s.login(t, who)
		c.tokens = append(c.tokens, token)
		if got := s.cluster.whoami(t, s.cluster.withToken(t, token.secret)).Username; got != who.user {
			t.Fatalf("%s is %q", who.user, got)
		}
	}
	return c
}

const everyUserAsks = 500 * time.Millisecond

// start lets every user ask twice a second until the returned function is called, or the test ends.
func (c *crowd) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	client := c.stage.cluster.userHTTP(t)
	for i, token := range c.tokens {
		c.running.Go(func() {
			time.Sleep(everyUserAsks * time.Duration(i) / time.Duration(len(c.tokens))) // not all at once
			ticker := time.NewTicker(everyUserAsks)
			defer ticker.Stop()
			for ctx.Err() == nil {
				answer := c.stage.cluster.ask(client, token.secret)
				c.note(token.User.Name, answer.failure(token.User.Name), answer.stale())
				select {
				case <-ctx.Done():
				case <-ticker.C:
				}
			}
		})
	}
	stop = func() {
		cancel()
		c.running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// useKubectl runs the real program as one user after the other for that long.
func (c *crowd) useKubectl(t *testing.T, length time.Duration) {
	t.Helper()
	cluster, end := c.stage.cluster, time.Now().Add(length)
	configs := make([]kubeconfig, len(c.tokens))
	for i := 0; time.Now().Before(end); i = (i + 1) % len(c.tokens) {
		if configs[i] == "" {
			configs[i] = cluster.withToken(t, c.tokens[i].secret)
		}
		result := cluster.kubectl(t, configs[i], "auth", "whoami", "-o", "json")
		answer := apiAnswer{status: http.StatusCreated}
		if answer.user, answer.err = decodeSelf([]byte(result.stdout)); result.err != nil {
			answer.err = fmt.Errorf("kubectl: %s", result.stderr)
		}
		c.note(c.tokens[i].User.Name, answer.failure(c.tokens[i].User.Name), answer.stale())
		time.Sleep(everyUserAsks)
	}
}

func (c *crowd) note(user, failure string, stale bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.answers = append(c.answers, crowdAnswer{ended: time.Now(), user: user, failure: failure, stale: stale})
}

// since is every answer that ended after that time.
func (c *crowd) since(began time.Time) []crowdAnswer {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var answers []crowdAnswer
	for _, answer := range c.answers {
		if answer.ended.After(began) {
			answers = append(answers, answer)
		}
	}
	return answers
}

// usersWith are the users of whom one of the answers since that time was stale, or was not.
func (c *crowd) usersWith(stale bool, began time.Time) map[string]bool {
	users := map[string]bool{}
	for _, answer := range c.since(began) {
		if answer.failure == "" && answer.stale == stale {
			users[answer.user] = true
		}
	}
	return users
}

// expectNoFailure holds that every answer since that time let its user in.
func (c *crowd) expectNoFailure(t *testing.T, began time.Time) {
	t.Helper()
	answers, failures := c.since(began), map[string]int{}
	for _, answer := range answers {
		if answer.failure != "" {
			failures[answer.failure]++
		}
	}
	t.Logf("%d requests of %d users, failed: %v", len(answers), len(c.tokens), failures)
	if len(failures) > 0 || len(answers) == 0 {
		t.Errorf("of %d requests some failed, or there was none: %v; the webhook on known tokens: %v",
			len(answers), failures, c.stage.webhook.notAllowedThough())
	}
}
