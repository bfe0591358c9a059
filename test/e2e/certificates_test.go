package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clusterPKI is what one kube-apiserver needs in keys and certificates, as files of its own.
type clusterPKI struct {
	caFile                                   string
	serverCertFile, serverKeyFile            string
	adminCertFile, adminKeyFile              string
	serviceAccountKeyFile, serviceAccountPub string
	serviceAccountKey                        *ecdsa.PrivateKey
	authority                                *x509.CertPool
}

// newClusterPKI makes a certificate authority for one cluster, a serving certificate for 127.0.0.1, a client certificate in the group
// system:masters, which needs no RBAC rule, and the key pair that signs ServiceAccount tokens.
func newClusterPKI(t *testing.T) clusterPKI {
	t.Helper()
	dir := t.TempDir()
	caKey := newKey(t)
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "e2e authority"},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	caDER := sign(t, ca, ca, caKey, caKey)
	parsed, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	authority := x509.NewCertPool()
	authority.AddCert(parsed)

	serverKey, adminKey, serviceAccountKey := newKey(t), newKey(t), newKey(t)
	server := leaf(2, pkix.Name{CommonName: "kube-apiserver"}, x509.ExtKeyUsageServerAuth)
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	admin := leaf(3, pkix.Name{CommonName: "e2e-admin", Organization: []string{"system:masters"}}, x509.ExtKeyUsageClientAuth)
	publicKey, err := x509.MarshalPKIXPublicKey(&serviceAccountKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return clusterPKI{
		caFile:                writePEM(t, dir, "ca.crt", "CERTIFICATE", caDER),
		serverCertFile:        writePEM(t, dir, "server.crt", "CERTIFICATE", sign(t, server, ca, serverKey, caKey)),
		serverKeyFile:         writeKey(t, dir, "server.key", serverKey),
		adminCertFile:         writePEM(t, dir, "admin.crt", "CERTIFICATE", sign(t, admin, ca, adminKey, caKey)),
		adminKeyFile:          writeKey(t, dir, "admin.key", adminKey),
		serviceAccountKeyFile: writeKey(t, dir, "service-account.key", serviceAccountKey),
		serviceAccountPub:     writePEM(t, dir, "service-account.pub", "PUBLIC KEY", publicKey),
		serviceAccountKey:     serviceAccountKey,
		authority:             authority,
	}
}

func leaf(serial int64, subject pkix.Name, usage x509.ExtKeyUsage) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{usage},
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, certificate, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, certificate, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writeKey(t *testing.T, dir, name string, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, dir, name, "PRIVATE KEY", der)
}

func writePEM(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
