package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// account is one of the demo users that both Keystones are seeded with.
type account struct {
	user, password, domain string // the domain by name
	project                string // in the user's domain
}

var (
	alice      = account{user: "alice", password: "alice", domain: "Default", project: "demo"}
	bob        = account{user: "bob", password: "bob", domain: "Default", project: "demo"}
	otherAlice = account{user: "alice", password: "alice", domain: "other", project: "other-demo"}
)

// keystone is a running Keystone; url is the root of its Identity API v3.
type keystone struct {
	url           string
	adminPassword string
	process       *process
}

// admin has the password that this Keystone was bootstrapped with.
func (k *keystone) admin() account {
	return account{user: "admin", password: k.adminPassword, domain: "Default", project: "admin"}
}

// embeddedKeystone starts src/dev/embedded-keystone alone, without the webhook, so that it can stand behind a proxy.
func embeddedKeystone(t *testing.T, provider string) *keystone {
	t.Helper()
	module := fmt.Sprintf(`
import { serveEmbeddedKeystone } from './src/dev/keystone/serve.ts'
import { seedDemo } from './src/dev/keystone/seed.ts'
const { url } = await serveEmbeddedKeystone({ port: 0, hostname: '127.0.0.1', provider: '%s' })
await seedDemo({ url, adminPassword: 'secret', fetch })
process.stdout.write(JSON.stringify({ url, adminPassword: 'secret' }) + '\n')
`, provider)
	return startKeystone(t, processSpec{
		name:        "embedded-keystone",
		args:        []string{"--input-type=module-typescript", "-e", module},
		stopSignal:  syscall.SIGTERM,
		deathSignal: syscall.SIGKILL,
	})
}

// realKeystone starts Debian's Keystone. Where it is not installed the test is skipped, except in CI: a suite that
// skips what it is there for passes for the wrong reason.
func realKeystone(t *testing.T, provider string) *keystone {
	t.Helper()
	return startKeystone(t, processSpec{
		name:        "real-keystone",
		args:        []string{"test/support/real-keystone/serve-keystone.ts", "--provider", provider, "--port", "0"},
		stopSignal:  syscall.SIGTERM,
		endsCleanly: true,
		deathSignal: syscall.SIGTERM,
	})
}

// notInstalled is the exit code with which test/support/real-keystone/serve-keystone.ts says that the Debian package is missing.
const notInstalled = 3

// startKeystone runs a program that prints one JSON line with its url when it serves and is seeded.
func startKeystone(t *testing.T, spec processSpec) *keystone {
	t.Helper()
	spec.dir, spec.path, spec.env = repoRoot(), nodePath(t), nodeEnvironment(nil)
	k := &keystone{process: startProcess(t, spec)}
	eventually(t, 3*time.Minute, spec.name+" serves", func() error {
		for line := range strings.Lines(readLog(k.process.stdout)) {
			var announcement struct {
				URL           string `json:"url"`
				AdminPassword string `json:"adminPassword"`
			}
			if json.Unmarshal([]byte(line), &announcement) == nil && announcement.URL != "" {
				k.url, k.adminPassword = strings.TrimSuffix(announcement.URL, "/"), announcement.AdminPassword
				return nil
			}
		}
		if ended := k.process.exitError(); ended != nil {
			if k.process.command.ProcessState.ExitCode() == notInstalled {
				skipOrFail(t, "Debian's package keystone is not installed")
			}
			t.Fatal(ended)
		}
		return fmt.Errorf("no line with its url yet")
	})
	k.process.look()
	return k
}

func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" || os.Getenv("E2E_REQUIRE_REAL_KEYSTONE") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// nodePath is the Node that the repository pins, whatever the machine has.
func nodePath(t *testing.T) string {
	t.Helper()
	path := filepath.Join(repoRoot(), "node_modules", ".bin", "node")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run npm ci first", err)
	}
	return path
}

// nodeEnvironment is what the repository's programs are started with: its own tools first, as npm scripts have them, and none of the
// product's settings from the shell that runs the test.
func nodeEnvironment(settings map[string]string) []string {
	changes := map[string]string{
		"PATH":                  filepath.Join(repoRoot(), "node_modules", ".bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"WRANGLER_SEND_METRICS": "false",
	}
	for _, name := range []string{
		"PORT", "KEYSTONE_PORT", "KEYSTONE_URL", "DEV_STATE_DIR", "IDENTITY_TTL_SECONDS", "REJECTION_TTL_SECONDS", "STALE_IF_ERROR_SECONDS",
		"KEYSTONE_TIMEOUT_MS", "HOME_DOMAIN", "AUDIT_REPEATS_SECONDS", "BASIC_AUTH_URL",
	} {
		changes[name] = settings[name]
	}
	return environment(changes)
}
