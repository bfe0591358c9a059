package harness

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// requestTimeout is as long as kube-apiserver waits for a review.
const requestTimeout = 30 * time.Second

// HTTPSClient trusts the one certificate in the file and keeps at most so many connections open. The test closes them at its end.
func HTTPSClient(t *testing.T, certificateFile string, connections int) (*http.Client, error) {
	certificate, err := os.ReadFile(certificateFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		return nil, fmt.Errorf("%s holds no certificate", certificateFile)
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: requestTimeout}, nil
}
