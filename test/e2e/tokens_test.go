package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
	"time"
)

// Tokens that no Keystone issued. They are random each time, so that a log can be searched for them.

// garbageToken is opaque text of the kind that clients send by mistake.
func garbageToken() string { return "garbage-" + rand.Text() + rand.Text() }

// forgedFernetToken has the shape of a project-scoped fernet token in every respect that can be seen without the key.
func forgedFernetToken() string {
	const version, blocks = 0x80, 5
	token := make([]byte, 57+16*blocks)
	_, _ = rand.Read(token)
	token[0] = version
	binary.BigEndian.PutUint64(token[1:9], uint64(time.Now().Unix()))
	return base64.URLEncoding.EncodeToString(token)
}

// expiredServiceAccountToken is a token as kube-apiserver itself binds to a pod, signed with the cluster's key, an hour past its end.
func (c *cluster) expiredServiceAccountToken(t *testing.T) string {
	t.Helper()
	now := time.Now()
	signed := signingInput(t, map[string]any{"alg": "ES256"}, map[string]any{
		"iss": c.issuer,
		"aud": []string{c.issuer},
		"sub": "system:serviceaccount:default:default",
		"jti": rand.Text(),
		"iat": now.Add(-2 * time.Hour).Unix(),
		"nbf": now.Add(-2 * time.Hour).Unix(),
		"exp": now.Add(-time.Hour).Unix(),
		"kubernetes.io": map[string]any{
			"namespace":      "default",
			"serviceaccount": map[string]any{"name": "default", "uid": rand.Text()},
		},
	})
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, c.pki.serviceAccountKey, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64) // RFC 7518, section 3.4: R and S, 32 bytes each
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// foreignIDToken is a valid OpenID Connect ID token of an issuer that this cluster has never heard of.
func foreignIDToken(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signed := signingInput(t, map[string]any{"alg": "RS256", "kid": rand.Text()}, map[string]any{
		"iss": "https://issuer.example.com",
		"aud": "another-application",
		"sub": rand.Text(),
		"iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix(),
	})
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// signingInput is the first two parts of a compact JWS (RFC 7515, section 7.1).
func signingInput(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	header["typ"] = "JWT"
	var parts [2]string
	for i, part := range []map[string]any{header, claims} {
		content, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(content)
	}
	return parts[0] + "." + parts[1]
}
