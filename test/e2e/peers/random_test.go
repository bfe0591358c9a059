package peers

import "math/rand/v2"

// dice are seeded: the same seed and index give the same policy and reviews.
type dice struct{ *rand.Rand }

func newDice(seed uint64, index int) dice { return dice{rand.New(rand.NewPCG(seed, uint64(index)))} }

// chance is true in so many of 100 cases.
func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func one[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// some picks least to most of them; the same one may come twice.
func some[T any](d dice, least, most int, from []T) []T {
	picked := []T{}
	for range least + d.IntN(most-least+1) {
		picked = append(picked, one(d, from))
	}
	return picked
}

// The world of the policies and reviews is small, so that they meet.
const (
	demoID  = "6f9d3c1d0e4b4d0f9a5f0c2b7e8d1a34"
	otherID = "0123456789abcdef0123456789abcdef"
	aliceID = "ff369be2cbb14ee9bb775c0bcf2a1061"
	longID  = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

var (
	roleNames    = []string{"member", "reader", "admin", "load-balancer_member", "Member"}
	projectIDs   = []string{demoID, otherID}
	projectNames = []string{"demo", "other-demo", "Demo", otherID}
	userNames    = []string{"alice", "bob", "Alice", aliceID, longID, ""}
	groupNames   = []string{"developers", "ops", demoID, "system:authenticated"}
	namespaces   = []string{"default", "kube-system", "team-a", "Team-A"}
	resources    = []string{"pods", "deployments", "secrets", "nodes", "Pods"}
	subresources = []string{"exec", "log", "status", "proxy"}
	apiGroups    = []string{"", "apps", "batch"}
	verbs        = []string{"get", "list", "watch", "create", "delete", "GET", ""}
	paths        = []string{"/api", "/apis/apps/v1", "/healthz", "/metrics", "/Metrics", "/logs/kube", "/api*", "/", ""}
)
