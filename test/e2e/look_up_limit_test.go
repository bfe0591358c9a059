package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

var lookUpLimitLine = regexp.MustCompile(`(?m)^name = "LOOKUPS"\n(?:.*\n)*?simple = \{ limit = (\d+), period = (\d+) \}`)

// lookUpLimit is the limit of LOOKUPS as wrangler.toml has it, which `npm start` goes by too.
func lookUpLimit(t *testing.T) (limit int, period time.Duration) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(harness.RepoRoot(), "wrangler.toml"))
	if err != nil {
		t.Fatal(err)
	}
	match := lookUpLimitLine.FindSubmatch(content)
	if match == nil {
		t.Fatal("wrangler.toml has no limit of LOOKUPS")
	}
	limit, _ = strconv.Atoi(string(match[1]))
	seconds, _ := strconv.Atoi(string(match[2]))
	return limit, time.Duration(seconds) * time.Second
}
