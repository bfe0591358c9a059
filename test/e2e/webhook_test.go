package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// webhook is the product as a developer runs it: src/dev/start.ts, the Worker in workerd behind https.
type webhook struct {
	*harness.Webhook
	// kubeconfig is the file that the product writes for kube-apiserver's flag.
	kubeconfig string
	// callerToken is the credential inside it.
	callerToken string
}

// startWebhook starts the product in front of a Keystone that is already there.
func startWebhook(t *testing.T, keystoneURL string) *webhook {
	t.Helper()
	return startWebhookWith(t, keystoneURL, nil)
}

// startWebhookWith is startWebhook with some of the product's variables set.
func startWebhookWith(t *testing.T, keystoneURL string, variables map[string]string) *webhook {
	t.Helper()
	return launchScript(t, "src/dev/start.ts", keystoneURL, variables)
}

// startBareWebhook is startWebhookWith on workerd itself. The development server passes each request through a Worker of its own, whose
// garbage collections stop everything for up to 40 ms: what is timed would be theirs.
func startBareWebhook(t *testing.T, keystoneURL string, variables map[string]string) *webhook {
	t.Helper()
	return launchScript(t, "test/e2e/serve-bundle.ts", keystoneURL, variables)
}

func launchScript(t *testing.T, script, keystoneURL string, variables map[string]string) *webhook {
	t.Helper()
	settings := map[string]string{"KEYSTONE_URL": keystoneURL}
	maps.Copy(settings, variables)
	return launchWebhook(t, settings, harness.Spec{Name: "webhook", Path: harness.NodePath(t), Args: []string{script}})
}

// launchWebhook starts the product by a command of the caller's choice and returns when it says that it is ready.
func launchWebhook(t *testing.T, settings map[string]string, spec harness.Spec) *webhook {
	t.Helper()
	if settings["AUDIT_REPEATS_SECONDS"] == "" {
		// Every review is to leave its line: the tests count them.
		settings["AUDIT_REPEATS_SECONDS"] = "0"
	}
	stateDir := t.TempDir()
	started := harness.StartWebhook(t, stateDir, settings, spec)
	token, err := os.ReadFile(filepath.Join(stateDir, "caller-token"))
	if err != nil {
		t.Fatal(err)
	}
	return &webhook{
		Webhook:     started,
		kubeconfig:  filepath.Join(stateDir, "webhook.kubeconfig"),
		callerToken: strings.TrimSpace(string(token)),
	}
}

// auditLine is the part of the product's audit line that the tests look at.
type auditLine struct {
	Event         string `json:"event"`
	Kind          string `json:"kind"`
	APIVersion    string `json:"apiVersion"`
	Cluster       string `json:"cluster"`
	Decision      string `json:"decision"`
	Reason        string `json:"reason"`
	Source        string `json:"source"`
	User          string `json:"user"`
	Fingerprint   string `json:"fingerprint"`
	KeystoneCalls int    `json:"keystoneCalls"`
	// Repeats is how many equal lines were held back before this one.
	Repeats int `json:"repeats"`
}

// audit is every review that the product has answered so far, in order.
func (w *webhook) audit() []auditLine {
	var reviews []auditLine
	for line := range strings.Lines(w.Process.Stdout()) {
		var review auditLine
		if json.Unmarshal([]byte(line), &review) == nil && review.Event == "review" {
			reviews = append(reviews, review)
		}
	}
	return reviews
}

// notAllowedThough counts, by reason, the reviews that did not let in a token which was let in before.
func (w *webhook) notAllowedThough() map[string]int {
	known, reasons := map[string]bool{}, map[string]int{}
	for _, review := range w.audit() {
		switch {
		case review.Decision == "allow":
			known[review.Fingerprint] = true
		case known[review.Fingerprint]:
			reasons[review.Reason]++
		}
	}
	return reasons
}

// quiet is how many reviews there are once no more lines come in: a line is written after its answer, so it may trail the
// kubectl that caused it.
func (w *webhook) quiet(t *testing.T) int {
	t.Helper()
	const still = 300 * time.Millisecond
	seen, since := len(w.audit()), time.Now()
	harness.Eventually(t, 10*time.Second, "a pause of the audit lines", func() error {
		if now := len(w.audit()); now != seen {
			seen, since = now, time.Now()
		}
		if time.Since(since) < still {
			return errors.New("lines keep coming")
		}
		return nil
	})
	return seen
}

// reviewsAfter waits for the first review beyond the ones already seen, and returns all that are there then.
func (w *webhook) reviewsAfter(t *testing.T, seen int) []auditLine {
	t.Helper()
	var reviews []auditLine
	w.Process.WaitUntil(t, 10*time.Second, "an audit line", func() error {
		reviews = w.audit()[seen:]
		if len(reviews) == 0 {
			return errors.New("no new line with \"event\":\"review\"")
		}
		return nil
	})
	return reviews
}
