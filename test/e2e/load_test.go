package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// requestTimeout is longer than any review may take, and as long as kube-apiserver waits for one.
const requestTimeout = 30 * time.Second

// phase is how long a phase under load lasts: its full length, or with `go test -short` a length that is for trying out the test.
func phase(full, short time.Duration) time.Duration {
	if testing.Short() {
		return short
	}
	return full
}

// pace calls do so many times a second for that long, whether earlier calls have ended or not, and returns how often when all have.
// What is late is made up for: a slow answer must not lower the load that makes it slow.
func pace(ctx context.Context, length time.Duration, perSecond int, do func(i int)) int {
	total := int(length.Seconds() * float64(perSecond))
	began := time.Now()
	var calls sync.WaitGroup
	defer calls.Wait()
	for i := range total {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		select {
		case <-ctx.Done():
			return i
		case <-time.After(time.Until(due)):
		}
		calls.Go(func() { do(i) })
	}
	return total
}

// apiAnswer is what kube-apiserver made of one request.
type apiAnswer struct {
	began  time.Time
	took   time.Duration
	status int // 0 when there was no answer
	user   userInfo
	err    error
}

// userHTTP is a client for requests that carry a token. HTTP/1.1, since kube-apiserver ends an HTTP/2 connection after each 401, and
// handshakes are not what is measured here.
func (c *cluster) userHTTP(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pki.authority}, MaxIdleConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: requestTimeout, Transport: transport}
}

var selfSubjectReview = []byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)

// ask makes the request of `kubectl auth whoami` with the token.
func (c *cluster) ask(client *http.Client, token string) apiAnswer {
	answer := apiAnswer{began: time.Now()}
	answer.status, answer.user, answer.err = c.selfReview(client, token)
	answer.took = time.Since(answer.began)
	return answer
}

func (c *cluster) selfReview(client *http.Client, token string) (int, userInfo, error) {
	request, err := http.NewRequest(http.MethodPost, c.url+"/apis/authentication.k8s.io/v1/selfsubjectreviews", bytes.NewReader(selfSubjectReview))
	if err != nil {
		return 0, userInfo{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, userInfo{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		return response.StatusCode, userInfo{}, err
	}
	user, err := decodeSelf(body)
	return response.StatusCode, user, err
}

// decodeSelf reads who a SelfSubjectReview says that the caller is.
func decodeSelf(body []byte) (userInfo, error) {
	var review struct {
		Status struct {
			UserInfo userInfo `json:"userInfo"`
		} `json:"status"`
	}
	err := json.Unmarshal(body, &review)
	return review.Status.UserInfo, err
}

// failure is what is wrong with an answer to this user; empty when it let the user in under the right name.
func (a apiAnswer) failure(name string) string {
	switch {
	case a.err != nil:
		return a.err.Error()
	case a.status != http.StatusCreated:
		return http.StatusText(a.status)
	case a.user.Username != name:
		return fmt.Sprintf("taken for %q", a.user.Username)
	}
	return ""
}

func (a apiAnswer) stale() bool {
	return slices.Equal(a.user.Extra["keystone-edge-auth/stale"], []string{"true"})
}

// percentile is the smallest of the times that so many per cent of them do not exceed.
func percentile(times []time.Duration, percent int) time.Duration {
	ordered := slices.Sorted(slices.Values(times))
	return ordered[(len(ordered)*percent+99)/100-1]
}

// tally counts by name, from many goroutines.
type tally struct {
	mutex  sync.Mutex
	counts map[string]int
}

func (y *tally) add(name string) {
	y.mutex.Lock()
	defer y.mutex.Unlock()
	if y.counts == nil {
		y.counts = map[string]int{}
	}
	y.counts[name]++
}
