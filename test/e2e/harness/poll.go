package harness

import (
	"fmt"
	"testing"
	"time"
)

const (
	firstPause   = 5 * time.Millisecond
	longestPause = 100 * time.Millisecond
)

// Eventually repeats check until it returns nil, and fails the test with the last error when the limit has passed.
func Eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	if err := poll(limit, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// poll pauses briefly at first, because most checks wait for something quick, and up to 100 ms later.
func poll(limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %w", limit, err)
		}
		time.Sleep(pause)
	}
}
