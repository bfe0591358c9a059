package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// TestOneTokenUnderLoad uses one token as a busy controller does, on many connections straight to the webhook.
func TestOneTokenUnderLoad(t *testing.T) {
	const (
		connections = 16
		identityTTL = 10 * time.Second
		// kube-apiserver gives a token half a minute; nobody is to come near it.
		longest = 5 * time.Second
	)
	length := phase(time.Minute, 2*identityTTL)
	s := &stage{keystone: embeddedKeystone(t, "fernet")}
	s.proxy = startProxy(t, s.keystone)
	s.webhook = startWebhookWith(t, s.proxy.url(), map[string]string{
		"IDENTITY_TTL_SECONDS":  strconv.Itoa(int(identityTTL.Seconds())),
		"AUDIT_REPEATS_SECONDS": "60", // a line for each of the reviews would be most of the work
	})
	token := s.keystone.issue(t, alice)
	reviewer := s.webhook.newReviewer(t, connections)

	var failures tally
	var mutex sync.Mutex
	reviews, slowest := 0, time.Duration(0)
	var working sync.WaitGroup
	end := time.Now().Add(length)
	for range connections {
		working.Go(func() {
			for time.Now().Before(end) {
				began := time.Now()
				if err := reviewer.review(token.secret, "alice"); err != nil {
					failures.add(err.Error())
				}
				took := time.Since(began)
				mutex.Lock()
				reviews++
				slowest = max(slowest, took)
				mutex.Unlock()
			}
		})
	}
	working.Wait()

	lookUps, most := s.proxy.lookUpsOf()[token.secret], 2*int(length/identityTTL)
	t.Logf("%d reviews in %s on %d connections, the slowest %s: %d look-ups, at most %d", reviews, length, connections, slowest, lookUps, most)
	if len(failures.counts) > 0 {
		t.Errorf("of %d reviews some failed: %v", reviews, failures.counts)
	}
	if lookUps < int(length/identityTTL) || lookUps > most {
		t.Errorf("%d look-ups in %d TTLs, want between one and two a TTL", lookUps, length/identityTTL)
	}
	if slowest > longest {
		t.Errorf("the slowest review took %s, want at most %s", slowest, longest)
	}
	s.webhook.Process.Stop(t)
	if left := s.webhook.Process.Survivors(); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

// reviewer sends TokenReviews as kube-apiserver does, without being one.
type reviewer struct {
	client     *http.Client
	url        string
	credential string
}

func (w *webhook) newReviewer(t *testing.T, connections int) *reviewer {
	t.Helper()
	client, err := harness.HTTPSClient(t, w.CertificateFile(), connections)
	if err != nil {
		t.Fatal(err)
	}
	return &reviewer{
		client:     client,
		url:        w.URL + "/webhook",
		credential: w.callerToken,
	}
}

// review fails unless the token is taken for that user's.
func (r *reviewer) review(token, user string) error {
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authentication.k8s.io/v1",
		"kind":       "TokenReview",
		"spec":       map[string]any{"token": token, "audiences": []string{"https://127.0.0.1"}},
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+r.credential)
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var review struct {
		Status struct {
			Authenticated bool     `json:"authenticated"`
			User          userInfo `json:"user"`
			Error         string   `json:"error"`
		} `json:"status"`
	}
	if err := json.Unmarshal(answer, &review); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || !review.Status.Authenticated || review.Status.User.Username != user {
		return fmt.Errorf("%s, authenticated %t as %q: %s", response.Status, review.Status.Authenticated, review.Status.User.Username, review.Status.Error)
	}
	return nil
}
