package main

import (
	"bytes"
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

	"keystone-edge-auth.test/e2e/harness"
)

// TestQuickstart follows docs/quickstart.md: it runs the commands of the page one after the other against `npm start` with a KV of
// its own and a kube-apiserver with the page's flags, and compares what they print with what the page shows.
func TestQuickstart(t *testing.T) {
	q := newQuickstart(t)
	for _, block := range readBlocks(t, filepath.Join(harness.RepoRoot(), "docs/quickstart.md")) {
		q.follow(t, block)
		if t.Failed() {
			return
		}
	}
	if q.webhook == nil || q.cluster == nil || q.compared < 12 {
		t.Fatalf("the page starts no webhook or no cluster, or shows too little: %d outputs were compared", q.compared)
	}
	q.expectNoSecretShown(t)
}

// block is a fenced part of a page.
type block struct {
	language, text string
	line           int
}

var fenced = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

func readBlocks(t *testing.T, path string) []block {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, at := range fenced.FindAllSubmatchIndex(page, -1) {
		blocks = append(blocks, block{
			language: string(page[at[2]:at[3]]),
			text:     string(page[at[4]:at[5]]),
			line:     1 + bytes.Count(page[:at[0]], []byte("\n")),
		})
	}
	return blocks
}

// quickstart is the directory in which a reader follows the page, and what runs meanwhile.
type quickstart struct {
	dir      string
	env      map[string]string
	ports    []int // of the webhook and of its Keystone
	webhook  *harness.Webhook
	cluster  *cluster
	shown    strings.Builder
	compared int
}

// newQuickstart makes the directory as a checkout has it: wrangler.toml, the commands on the PATH, and wrangler's local KV, which is
// that of `npm start`.
func newQuickstart(t *testing.T) *quickstart {
	t.Helper()
	dir := t.TempDir()
	bundle := exec.Command(harness.NodePath(t), "src/dev/bundle-commands.ts")
	bundle.Dir, bundle.Env = harness.RepoRoot(), harness.NodeEnvironment(nil)
	if output, err := bundle.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, name := range []string{"bin", ".dev/kv", ".wrangler", "home"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{
		"bin/keystone-edge-auth":   filepath.Join(harness.RepoRoot(), "dist/cli/keystone-edge-auth.cjs"),
		"bin/client-keystone-auth": filepath.Join(harness.RepoRoot(), "dist/cli/client-keystone-auth.cjs"),
		"bin/kubectl":              tools.Path("kubectl"),
		".wrangler/state":          filepath.Join(dir, ".dev/kv"),
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	settings, err := os.ReadFile(filepath.Join(harness.RepoRoot(), "wrangler.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wrangler.toml"), settings, 0o644); err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(harness.RepoRoot(), "node_modules/.bin")
	path := strings.Join([]string{filepath.Join(dir, "bin"), modules, os.Getenv("PATH")}, string(os.PathListSeparator))
	return &quickstart{
		dir:   dir,
		env:   map[string]string{"PATH": path, "HOME": filepath.Join(dir, "home"), "CI": "true"},
		ports: harness.FreePorts(t, 2),
	}
}

// follow does what a block asks for, by its language: sh is run, console is run and compared, text has flags of kube-apiserver.
func (q *quickstart) follow(t *testing.T, b block) {
	t.Helper()
	text := q.withPorts(b.text)
	switch {
	case b.language == "sh" && strings.TrimSpace(text) == "npm start":
		q.startWebhook(t)
	case b.language == "sh":
		q.run(t, b.line, "set -euo pipefail\n"+text)
	case b.language == "console":
		for _, s := range toSteps(text) {
			q.compare(t, b.line, s)
		}
	case b.language == "text" && strings.HasPrefix(text, "--"):
		q.startCluster(t, strings.Fields(strings.ReplaceAll(text, "$PWD", q.dir)))
	default:
		t.Fatalf("docs/quickstart.md:%d: a block of the language %q that nobody can follow", b.line, b.language)
	}
}

// withPorts replaces the ports of the page by free ones.
func (q *quickstart) withPorts(text string) string {
	return strings.NewReplacer(
		"127.0.0.1:8443", "127.0.0.1:"+strconv.Itoa(q.ports[0]),
		"127.0.0.1:5000", "127.0.0.1:"+strconv.Itoa(q.ports[1]),
	).Replace(text)
}

func (q *quickstart) startWebhook(t *testing.T) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{"PORT": strconv.Itoa(q.ports[0]), "KEYSTONE_PORT": strconv.Itoa(q.ports[1])}
	q.webhook = harness.StartWebhook(t, filepath.Join(q.dir, ".dev"), settings, harness.Spec{
		Name:       "npm-start",
		Path:       npm,
		Args:       []string{"start"},
		StopGroup:  true,
		StopSignal: syscall.SIGINT,
	})
}

func (q *quickstart) startCluster(t *testing.T, flags []string) {
	t.Helper()
	q.cluster = startCluster(t, clusterOptions{documented: flags})
	q.env["SERVER"], q.env["CA_FILE"] = q.cluster.url, q.cluster.pki.caFile
}

// step is a command of the page and the lines that the page shows below it.
type step struct{ command, output string }

func toSteps(text string) []step {
	var steps []step
	for line := range strings.Lines(text) {
		if command, found := strings.CutPrefix(line, "$ "); found {
			steps = append(steps, step{command: command})
		} else if len(steps) > 0 {
			steps[len(steps)-1].output += line
		}
	}
	return steps
}

func (q *quickstart) compare(t *testing.T, line int, s step) {
	t.Helper()
	if got := q.run(t, line, s.command); !toPattern(s.output).MatchString(got) {
		t.Fatalf("docs/quickstart.md:%d: %swants\n%sgot\n%s", line, s.command, s.output, got)
	}
	q.compared++
}

// toPattern makes `…` stand for anything in a line, and alone in a line for any lines.
func toPattern(output string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(output)
	pattern = regexp.MustCompile(`(?m)^…\n`).ReplaceAllString(pattern, "(?:.*\n)*?")
	return regexp.MustCompile("^" + strings.ReplaceAll(pattern, "…", ".*?") + "$")
}

// run runs a command of the page, which must succeed, and returns what a terminal shows.
func (q *quickstart) run(t *testing.T, line int, command string) string {
	t.Helper()
	began := time.Now()
	shell := exec.CommandContext(t.Context(), "bash", "-c", command)
	shell.Dir = q.dir
	for name, value := range q.env {
		shell.Env = append(shell.Env, name+"="+value)
	}
	var output bytes.Buffer
	shell.Stdout, shell.Stderr = &output, &output
	err := shell.Run()
	q.shown.Write(output.Bytes())
	if err != nil {
		t.Fatal(fmt.Errorf("docs/quickstart.md:%d: %s%w\n%s", line, command, err, output.String()))
	}
	t.Logf("%s  %s", time.Since(began).Round(100*time.Millisecond), strings.SplitN(command, "\n", 2)[0])
	return output.String()
}

// expectNoSecretShown holds that no command of the page printed a token, and that the files with secrets are for their owner alone.
func (q *quickstart) expectNoSecretShown(t *testing.T) {
	t.Helper()
	for _, name := range []string{"caller-token", "prod-1-token", "cache-keys", ".dev/caller-token"} {
		path := filepath.Join(q.dir, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(q.shown.String(), strings.TrimSpace(string(content))) {
			t.Errorf("%s was printed", name)
		}
		if found, err := os.Stat(path); err != nil || found.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, want 0600", name, found.Mode())
		}
	}
}
