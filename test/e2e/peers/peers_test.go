// Package peers holds this repository's webhook and the real k8s-keystone-auth against each other: the same random policies, the same random
// reviews, and a name for every difference.
package peers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

const (
	policyCount      = 300
	reviewsPerPolicy = 60
	workers          = 3
	shownFailures    = 5
	mostDuration     = 3 * time.Minute
)

// TestPeers judges random reviews under random list-form policies on both sides.
func TestPeers(t *testing.T) {
	seed := readSeed(t)
	t.Logf("seed %d; PEERS_SEED=%d repeats this run", seed, seed)
	began := time.Now()
	decks := make([]dice, policyCount)
	policies := make([]policy, policyCount)
	for index := range policies {
		decks[index] = newDice(seed, index)
		policies[index] = randomPolicy(decks[index])
	}
	imports := importPolicies(t, policies)
	t.Logf("imported in %s", time.Since(began).Round(time.Second))
	ours := startProduct(t, policies, imports)
	t.Logf("started in %s", time.Since(began).Round(time.Second))

	c := comparison{t: t, ours: ours, imports: imports, found: newTally(), named: map[row]int{}, verdicts: map[string]int{}}
	work := make(chan int)
	var running sync.WaitGroup
	for _, port := range harness.FreePorts(t, workers) {
		running.Go(func() {
			for index := range work {
				c.comparePolicy(index, policies[index], decks[index], port)
			}
		})
	}
	for index := range policies {
		work <- index
	}
	close(work)
	running.Wait()

	t.Logf("%d policies, %d reviews in %s: %v", policyCount, c.reviews, time.Since(began).Round(time.Second), c.verdicts)
	c.found.report(t)
	reportNamed(t, c.named)
	if c.failures > 0 {
		t.Errorf("%d reviews failed; the first %d are above", c.failures, min(c.failures, shownFailures))
	}
	if took := time.Since(began); took > mostDuration {
		t.Errorf("took %s, want at most %s", took, mostDuration)
	}
}

func readSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("PEERS_SEED")
	if text == "" {
		return rand.Uint64N(1_000_000_000)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("PEERS_SEED: %v", err)
	}
	return seed
}

// comparison is one run; its mutex guards what the workers count.
type comparison struct {
	t       *testing.T
	ours    *product
	imports []imported

	sync.Mutex
	found             tally
	named             map[row]int
	verdicts          map[string]int
	reviews, failures int
}

// comparePolicy starts the peer with one policy: it reads no other later.
func (c *comparison) comparePolicy(index int, p policy, d dice, port int) {
	theirs, err := startPeer(c.t, c.ours, marshal(p), port)
	if err != nil {
		c.fail(index, p, nil, err)
		return
	}
	if err := theirs.refusesV1(randomReview(d, p)); err != nil {
		c.fail(index, p, nil, fmt.Errorf("k8s-keystone-auth: %w", err))
	}
	for range reviewsPerPolicy {
		c.compareReview(index, p, randomReview(d, p), theirs)
	}
	if err := theirs.end(); err != nil {
		c.t.Error(err)
	}
}

func (c *comparison) compareReview(index int, p policy, asked review, theirs *peer) {
	was, err := theirs.judge(asked)
	if err != nil {
		c.fail(index, p, &asked, fmt.Errorf("k8s-keystone-auth: %w", err))
		return
	}
	cluster := clusterOf(index)
	if c.imports[index].isSame {
		cluster = importingClusterOf(index)
	}
	is, err := c.ours.judge(cluster, asked, "v1beta1")
	if err != nil {
		c.fail(index, p, &asked, fmt.Errorf("this webhook, v1beta1: %w", err))
		return
	}
	inV1, err := c.ours.judge(cluster, asked, "v1")
	if err != nil {
		c.fail(index, p, &asked, fmt.Errorf("this webhook, v1: %w", err))
		return
	}
	because := explain(p, asked)
	c.count(was, is, because)
	if err := check(p, asked, was, is, inV1, because); err != nil {
		c.fail(index, p, &asked, err)
	}
	if err := c.checkImport(index, p, asked, was, inV1); err != nil {
		c.fail(index, p, &asked, fmt.Errorf("import: %w", err))
	}
}

// checkImport asks about the imported document too, unless it is the one that was asked about.
func (c *comparison) checkImport(index int, p policy, asked review, was, is verdict) error {
	im := c.imports[index]
	if !im.isSame {
		var err error
		if is, err = c.ours.judge(importingClusterOf(index), asked, "v1"); err != nil {
			return err
		}
	}
	met, err := im.check(p, asked, was, is)
	if err != nil {
		return fmt.Errorf("k8s-keystone-auth: %s; after the import: %s: %w", was, is, err)
	}
	c.Lock()
	defer c.Unlock()
	for _, name := range met {
		c.named[name]++
	}
	return nil
}

// check holds the verdicts against each other and, each by itself, against what the oracle expects of that side.
func check(p policy, asked review, was, is, inV1 verdict, because explanation) error {
	sides := fmt.Sprintf("k8s-keystone-auth: %s (expected %s); this webhook: %s (expected %s), in v1 %s; row %q",
		was, there().judge(p, asked), is, here().judge(p, asked), inV1, because.row)
	switch {
	case is != inV1:
		return errors.New("v1 and v1beta1 differ: " + sides)
	case is == allowed && was != allowed:
		return errors.New("wider than the peer: " + sides)
	case was != is && because.row == "":
		return errors.New("a difference without a row: " + sides)
	case was != there().judge(p, asked), is != here().judge(p, asked):
		return errors.New("not the verdict of the row: " + sides)
	}
	return nil
}

func (c *comparison) count(was, is verdict, because explanation) {
	c.Lock()
	defer c.Unlock()
	c.reviews++
	c.verdicts[fmt.Sprintf("%s/%s", was, is)]++
	if is != undecided {
		// Checked with every answer: the peer's has allowed and nothing else, this one has a reason.
		c.found.add(explanation{rowReason, true})
	}
	if because.row != "" {
		c.found.add(because)
	}
}

func (c *comparison) fail(index int, p policy, asked *review, err error) {
	c.Lock()
	defer c.Unlock()
	c.failures++
	if c.failures <= shownFailures {
		c.t.Errorf("policy %d: %v\npolicy: %s\nreview: %s", index, err, marshal(p), marshal(asked))
	}
}
