package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"
)

// garbageKinds are what a cluster that has been up for a while sends to its last authenticator, with a token of its own each time.
// None has the shape of a Keystone token.
var garbageKinds = []func(*testing.T, *cluster) string{
	func(t *testing.T, c *cluster) string { return c.expiredServiceAccountToken(t) },
	foreignServiceAccountToken,
	opaqueIDToken,
	func(*testing.T, *cluster) string { return base64.StdEncoding.EncodeToString(randomBytes(72)) },
	func(*testing.T, *cluster) string { return hex.EncodeToString(randomBytes(20)) }, // Keystone's uuid tokens are 32 digits
	func(*testing.T, *cluster) string { token := forgedFernetToken(); return token[:len(token)-8] },
	func(*testing.T, *cluster) string { return garbageToken() },
}

// foreignServiceAccountToken is a token of another cluster's ServiceAccount; who gets it cannot check what signed it.
func foreignServiceAccountToken(t *testing.T, _ *cluster) string {
	return signingInput(t, map[string]any{"alg": "RS256", "kid": rand.Text()}, map[string]any{
		"iss": "https://kubernetes.default.svc.another.example.com",
		"aud": []string{"https://kubernetes.default.svc.another.example.com"},
		"sub": "system:serviceaccount:default:default",
		"exp": time.Now().Add(-time.Hour).Unix(),
	}) + "." + base64.RawURLEncoding.EncodeToString(randomBytes(256))
}

// opaqueIDToken is an OpenID Connect ID token with the algorithm and the length that Keystone's JWS tokens have.
func opaqueIDToken(t *testing.T, _ *cluster) string {
	return signingInput(t, map[string]any{"alg": "ES256", "kid": rand.Text()}, map[string]any{
		"iss": "https://issuer.example.com",
		"aud": "another-application",
		"sub": rand.Text(),
		"iat": time.Now().Unix(),
		"exp": time.Now().Add(time.Hour).Unix(),
	}) + "." + base64.RawURLEncoding.EncodeToString(randomBytes(64))
}

func randomBytes(count int) []byte {
	bytes := make([]byte, count)
	_, _ = rand.Read(bytes)
	return bytes
}
