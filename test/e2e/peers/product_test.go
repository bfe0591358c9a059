package peers

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"keystone-edge-auth.test/e2e/harness"
)

// product is this repository's webhook as a developer runs it, with clusters of their own for each policy.
type product struct {
	*harness.Webhook
	keystoneURL string
	client      *http.Client
}

// Each policy has a cluster for the document as it is, and one for what was imported of it.
func clusterOf(index int) string          { return fmt.Sprintf("peers-%d", index) }
func importingClusterOf(index int) string { return fmt.Sprintf("imported-%d", index) }
func credentialOf(cluster string) string  { return "the-credential-of-" + cluster }

// startProduct puts the policies and their clusters' credentials with wrangler and starts the webhook: documents that are there at the start
// need no waiting for a refresh.
func startProduct(t *testing.T, policies []policy, imports []imported) *product {
	t.Helper()
	stateDir := t.TempDir()
	putDocuments(t, stateDir, policies, imports)
	keystonePort := strconv.Itoa(harness.FreePorts(t, 1)[0])
	started := harness.StartWebhook(t, stateDir, map[string]string{"KEYSTONE_PORT": keystonePort}, harness.Spec{
		Name: "webhook",
		Path: harness.NodePath(t),
		Args: []string{"src/dev/start.ts"},
	})
	client, err := harness.HTTPSClient(t, started.CertificateFile(), workers)
	if err != nil {
		t.Fatal(err)
	}
	return &product{Webhook: started, keystoneURL: "http://127.0.0.1:" + keystonePort + "/v3", client: client}
}

// putDocuments puts what was imported of each policy, and the policy itself where the import changed it.
func putDocuments(t *testing.T, stateDir string, policies []policy, imports []imported) {
	t.Helper()
	type pair struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	type caller struct {
		Credentials []string `json:"credentials"`
		Own         []string `json:"own"`
	}
	callers := map[string]caller{}
	var pairs []pair
	add := func(cluster string, document []byte) {
		digest := sha256.Sum256([]byte(credentialOf(cluster)))
		callers[cluster] = caller{[]string{fmt.Sprintf("sha256:%x", digest)}, []string{"policy"}}
		pairs = append(pairs, pair{fmt.Sprintf("clusters/%s/policy", cluster), string(document)})
	}
	for index, policy := range policies {
		add(importingClusterOf(index), imports[index].document)
		if !imports[index].isSame {
			add(clusterOf(index), marshal(policy))
		}
	}
	pairs = append(pairs, pair{"callers", string(marshal(callers))})
	harness.Wrangler(t, stateDir, "bulk", "put", harness.WriteFile(t, "documents.json", marshal(pairs)))
}

// judge asks as one cluster.
func (p *product) judge(cluster string, asked review, version string) (verdict, error) {
	answer, err := post(p.client, p.URL+"/webhook", credentialOf(cluster), asked.body(version))
	if err != nil {
		return "", err
	}
	if answer.status == http.StatusServiceUnavailable {
		return readUndecided(answer)
	}
	var got struct {
		APIVersion, Kind string
		Status           struct {
			Allowed *bool
			Denied  *bool
			Reason  string
		}
	}
	if err := json.Unmarshal(answer.body, &got); err != nil {
		return "", fmt.Errorf("got %d %s", answer.status, answer.body)
	}
	isReview := got.APIVersion == authorizationGroup+version && got.Kind == "SubjectAccessReview"
	if answer.status != http.StatusOK || !isReview || got.Status.Allowed == nil {
		return "", fmt.Errorf("got %d %s, want 200 with allowed", answer.status, answer.body)
	}
	if got.Status.Reason == "" || got.Status.Denied != nil {
		return "", fmt.Errorf("got %s, want a reason and, in the list form, never a deny", answer.body)
	}
	return verdictOf(*got.Status.Allowed), nil
}

// readUndecided holds that "cannot be decided" is a Status that no client takes for an invitation to ask again.
func readUndecided(answer answer) (verdict, error) {
	var got struct {
		APIVersion, Kind, Message string
		Code                      int
	}
	err := json.Unmarshal(answer.body, &got)
	if err != nil || got.APIVersion != "v1" || got.Kind != "Status" || got.Code != answer.status || got.Message == "" {
		return "", fmt.Errorf("got 503 %s, want a Status", answer.body)
	}
	if answer.retryAfter != "" {
		return "", errors.New("got 503 with Retry-After")
	}
	return undecided, nil
}
