package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

// issuedToken is a token with what Keystone says about it.
type issuedToken struct {
	secret   string
	User     named    `json:"user"`
	Project  named    `json:"project"`
	Roles    []named  `json:"roles"`
	Methods  []string `json:"methods"`
	AuditIDs []string `json:"audit_ids"`
	// ExpiresAt is in UTC, whether the text says so or not: Keystone leaves the zone out where the end is an application credential's.
	ExpiresAt string `json:"expires_at"`
}

type named struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain *named `json:"domain"`
}

// issue logs in with the password, scoped to the account's project.
func (k *keystone) issue(t *testing.T, who account) issuedToken {
	t.Helper()
	domain := map[string]any{"name": who.domain}
	return k.authenticate(t, map[string]any{
		"identity": map[string]any{
			"methods":  []string{"password"},
			"password": map[string]any{"user": map[string]any{"name": who.user, "password": who.password, "domain": domain}},
		},
		"scope": map[string]any{"project": map[string]any{"name": who.project, "domain": domain}},
	})
}

// issueShortLived is a token that Keystone lets end within that time: it ends with the application credential that it was
// issued for, which is the one life that a user may choose.
func (k *keystone) issueShortLived(t *testing.T, who account, life time.Duration) issuedToken {
	t.Helper()
	owner := k.issue(t, who)
	end := time.Now().Add(life).UTC()
	var created struct {
		Credential struct {
			ID     string `json:"id"`
			Secret string `json:"secret"`
		} `json:"application_credential"`
	}
	k.call(t, apiCall{
		method: http.MethodPost,
		path:   "/users/" + owner.User.ID + "/application_credentials",
		header: http.Header{"X-Auth-Token": {owner.secret}},
		body: map[string]any{"application_credential": map[string]any{
			"name":       "e2e-" + rand.Text(),
			"expires_at": end.Format(toTheSecond) + ".000000Z",
		}},
		want: http.StatusCreated,
		into: &created,
	})
	token := k.authenticate(t, map[string]any{"identity": map[string]any{
		"methods":                []string{"application_credential"},
		"application_credential": map[string]any{"id": created.Credential.ID, "secret": created.Credential.Secret},
	}})
	if got, want := token.ExpiresAt[:len(toTheSecond)], end.Format(toTheSecond); got > want {
		t.Fatalf("the token of an application credential that ends at %s ends at %s", want, got)
	}
	return token
}

const toTheSecond = "2006-01-02T15:04:05"

// authenticate takes the body's "auth" and returns the token with what Keystone says about it.
func (k *keystone) authenticate(t *testing.T, auth map[string]any) issuedToken {
	t.Helper()
	var body struct {
		Token issuedToken `json:"token"`
	}
	header := k.call(t, apiCall{
		method: http.MethodPost,
		path:   "/auth/tokens",
		body:   map[string]any{"auth": auth},
		want:   http.StatusCreated,
		into:   &body,
	})
	body.Token.secret = header.Get("X-Subject-Token")
	if body.Token.secret == "" || body.Token.User.Domain == nil || body.Token.Project.Domain == nil || len(body.Token.ExpiresAt) < len(toTheSecond) {
		t.Fatal("Keystone issued a token and left out the token, the user's domain, the project's or the end")
	}
	return body.Token
}

// revoke makes Keystone refuse the token from now on.
func (k *keystone) revoke(t *testing.T, token issuedToken) {
	t.Helper()
	k.call(t, apiCall{
		method: http.MethodDelete,
		path:   "/auth/tokens",
		header: http.Header{"X-Auth-Token": {token.secret}, "X-Subject-Token": {token.secret}},
		want:   http.StatusNoContent,
	})
}

type apiCall struct {
	method, path string
	header       http.Header
	body         any
	want         int // the only status that is taken
	into         any // decoded from the answer, unless nil
}

// call asks Keystone itself, past the proxy, so that only the webhook's own calls are counted there.
func (k *keystone) call(t *testing.T, call apiCall) http.Header {
	t.Helper()
	var body io.Reader
	if call.body != nil {
		content, err := json.Marshal(call.body)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(content)
	}
	request, err := http.NewRequestWithContext(t.Context(), call.method, k.url+call.path, body)
	if err != nil {
		t.Fatal(err)
	}
	if call.header != nil {
		request.Header = call.header
	}
	// uWSGI, which serves the real Keystone, closes a connection after its answer without having said so.
	request.Close = true
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != call.want {
		t.Fatalf("%s %s: Keystone answered %s\n%s", call.method, call.path, response.Status, answer)
	}
	if call.into != nil {
		if err := json.Unmarshal(answer, call.into); err != nil {
			t.Fatal(err)
		}
	}
	return response.Header
}
