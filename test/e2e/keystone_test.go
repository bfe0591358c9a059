package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
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
	process       *harness.Process
}

// admin has the password that this Keystone was bootstrapped with.
func (k *keystone) admin() account {
	return account{user: "admin", password: k.adminPassword, domain: "Default", project: "admin"}
}

// embeddedKeystone starts src/dev/embedded-keystone alone, without the webhook, so that it can stand behind a proxy.
func embeddedKeystone(t *testing.T, provider string) *keystone {
	t.Helper()
	module := fmt.Sprintf(`
import { serveEmbeddedKeystone } from './src/dev/embedded-keystone/serve.ts'
import { seedDemo } from './src/dev/embedded-keystone/seed.ts'
const { url } = await serveEmbeddedKeystone({ port: 0, hostname: '127.0.0.1', provider: '%s' })
await seedDemo({ url, adminPassword: 'secret', fetch })
process.stdout.write(JSON.stringify({ url, adminPassword: 'secret' }) + '\n')
`, provider)
	return startKeystone(t, harness.Spec{
		Name:        "embedded-keystone",
		Args:        []string{"--input-type=module-typescript", "-e", module},
		StopSignal:  syscall.SIGTERM,
		DeathSignal: syscall.SIGKILL,
	})
}

// realKeystone starts Debian's Keystone. Where it is not installed the test is skipped, except in CI: a suite that
// skips what it is there for passes for the wrong reason.
func realKeystone(t *testing.T, provider string) *keystone {
	t.Helper()
	return startKeystone(t, harness.Spec{
		Name:        "real-keystone",
		Args:        []string{"test/support/real-keystone/serve-keystone.ts", "--provider", provider, "--port", "0"},
		StopSignal:  syscall.SIGTERM,
		EndsCleanly: true,
		DeathSignal: syscall.SIGTERM,
	})
}

// notInstalled is the exit code with which test/support/real-keystone/serve-keystone.ts says that the Debian package is missing.
const notInstalled = 3

// startKeystone runs a program that prints one JSON line with its url when it serves and is seeded.
func startKeystone(t *testing.T, spec harness.Spec) *keystone {
	t.Helper()
	spec.Dir, spec.Path, spec.Env = harness.RepoRoot(), harness.NodePath(t), harness.NodeEnvironment(nil)
	k := &keystone{process: harness.Start(t, spec)}
	harness.Eventually(t, 3*time.Minute, spec.Name+" serves", func() error {
		for line := range strings.Lines(k.process.Stdout()) {
			var announcement struct {
				URL           string `json:"url"`
				AdminPassword string `json:"adminPassword"`
			}
			if json.Unmarshal([]byte(line), &announcement) == nil && announcement.URL != "" {
				k.url, k.adminPassword = strings.TrimSuffix(announcement.URL, "/"), announcement.AdminPassword
				return nil
			}
		}
		if ended := k.process.ExitError(); ended != nil {
			if k.process.ExitCode() == notInstalled {
				skipOrFail(t, "Debian's package keystone is not installed")
			}
			t.Fatal(ended)
		}
		return fmt.Errorf("no line with its url yet")
	})
	k.process.Look()
	return k
}

func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" || os.Getenv("E2E_REQUIRE_REAL_KEYSTONE") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
