package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const webhookStart = 2 * time.Minute // the first start of workerd on a busy machine

var readyLine = regexp.MustCompile(`\bready\b`)

// Webhook is a running webhook of this repository.
type Webhook struct {
	Process *Process
	// URL has no path: the webhook serves /webhook and /readyz.
	URL string
	// StateDir is where the webhook keeps its secrets and its KV.
	StateDir string
}

// StartWebhook starts the webhook by the command of the spec, which names the program alone, and returns when the webhook says that it
// is ready. The settings are environment variables; PORT is a free port when the settings have none.
func StartWebhook(t *testing.T, stateDir string, settings map[string]string, spec Spec) *Webhook {
	t.Helper()
	if settings["PORT"] == "" {
		settings["PORT"] = strconv.Itoa(FreePorts(t, 1)[0])
	}
	settings["DEV_STATE_DIR"] = stateDir
	spec.Dir, spec.Env = RepoRoot(), NodeEnvironment(settings)
	spec.StopSignal, spec.DeathSignal, spec.EndsCleanly = syscall.SIGINT, syscall.SIGINT, true
	w := &Webhook{Process: Start(t, spec), URL: "https://127.0.0.1:" + settings["PORT"], StateDir: stateDir}
	w.Process.WaitUntil(t, webhookStart, spec.Name+" is ready", func() error {
		for line := range strings.Lines(w.Process.Stdout()) {
			if readyLine.MatchString(line) {
				return nil
			}
		}
		return errors.New("no line with \"ready\" on standard output")
	})
	return w
}

// CertificateFile is the certificate with which the webhook serves.
func (w *Webhook) CertificateFile() string { return filepath.Join(w.StateDir, "tls.crt") }

// Wrangler runs `wrangler kv ARGS` on the configuration in the KV of a webhook, which may be running or not.
func Wrangler(t *testing.T, stateDir string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), NodePath(t), append(append([]string{"node_modules/wrangler/bin/wrangler.js", "kv"}, args...),
		"--binding", "CONFIG", "--local", "--persist-to", filepath.Join(stateDir, "kv"))...)
	command.Dir = RepoRoot()
	command.Env = NodeEnvironment(map[string]string{"CI": "true"})
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("wrangler kv %s: %w\n%s", strings.Join(args, " "), err, output))
	}
}

// WriteFile writes a file that only its owner reads to a temporary directory of the test, and returns its path.
func WriteFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
