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

// product is this repository's webhook as a developer runs it, with one cluster for each policy.
type product struct {
	*harness.Webhook
	keystoneURL string
	client      *http.Client
}

func clusterName(index int) string { return fmt.Sprintf("peers-%d", index) }
func credential(index int) string  { return fmt.Sprintf("the-credential-of-%s", clusterName(index)) }

// startProduct puts the policies and their clusters' credentials with wrangler and starts the webhook: documents that are there at the start
// need no waiting for a refresh.
func startProduct(t *testing.T, policies []policy) *product {
	t.Helper()
	stateDir := t.TempDir()
	putDocuments(t, stateDir, policies)
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

func putDocuments(t *testing.T, stateDir string, policies []policy) {
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
	for index, policy := range policies {
		digest := sha256.Sum256([]byte(credential(index)))
		callers[clusterName(index)] = caller{[]string{fmt.Sprintf("sha256:%x", digest)}, []string{"policy"}}
		pairs = append(pairs, pair{fmt.Sprintf("clusters/%s/policy", clusterName(index)), string(marshal(policy))})
	}
	pairs = append(pairs, pair{"callers", string(marshal(callers))})
	harness.Wrangler(t, stateDir, "bulk", "put", harness.WriteFile(t, "documents.json", marshal(pairs)))
}

// judge asks as the cluster of one policy.
func (p *product) judge(index int, asked review, version string) (verdict, error) {
	answer, err := post(p.client, p.URL+"/webhook", credential(index), asked.body(version))
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
