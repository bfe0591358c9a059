package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// clusterOptions is how a kube-apiserver is pointed at webhooks; a new kind of webhook adds its fields here and its flags in flags.
type clusterOptions struct {
	// authenticationWebhook is the kubeconfig of --authentication-token-webhook-config-file; none when empty.
	authenticationWebhook string
	// authenticationVersion of TokenReview: "v1" or "v1beta1".
	authenticationVersion string
	// authenticationCacheTTL is how long kube-apiserver keeps the webhook's answers to TokenReviews. At 0, which is what a test of the
	// webhook's own cache wants, it keeps none, but for a second cache of successes, 10 s, that no flag turns off.
	authenticationCacheTTL time.Duration
	// authorizationWebhook is the kubeconfig of --authorization-webhook-config-file; RBAC alone when empty.
	authorizationWebhook string
	// authorizationVersion of SubjectAccessReview: "v1" or "v1beta1".
	authorizationVersion string
	// authorizationConfig is the file of --authorization-config, the structured way to say the same.
	authorizationConfig string
	// documented are flags of a page, in place of all others.
	documented []string
}

func (options clusterOptions) flags() []string {
	if options.documented != nil {
		return options.documented
	}
	var flags []string
	switch {
	case options.authorizationConfig != "":
		flags = append(flags, "--authorization-config="+options.authorizationConfig)
	case options.authorizationWebhook != "":
		flags = append(flags,
			"--authorization-mode=Webhook,RBAC",
			"--authorization-webhook-config-file="+options.authorizationWebhook,
			"--authorization-webhook-version="+options.authorizationVersion,
			// As short as it goes: an edit of the policy is what is waited for.
			"--authorization-webhook-cache-authorized-ttl=1s",
			"--authorization-webhook-cache-unauthorized-ttl=1s",
		)
	default:
		flags = append(flags, "--authorization-mode=RBAC")
	}
	if options.authenticationWebhook != "" {
		flags = append(flags,
			"--authentication-token-webhook-config-file="+options.authenticationWebhook,
			"--authentication-token-webhook-version="+options.authenticationVersion,
			"--authentication-token-webhook-cache-ttl="+options.authenticationCacheTTL.String(),
		)
	}
	return flags
}

// cluster is a kube-apiserver with its etcd: enough of Kubernetes for logins, RBAC and stored objects.
type cluster struct {
	url         string
	issuer      string
	pki         clusterPKI
	etcd        *harness.Process
	apiserver   *harness.Process
	kubectlHome string
}

// startCluster returns when kube-apiserver answers /readyz, RBAC's own roles included.
func startCluster(t *testing.T, options clusterOptions) *cluster {
	t.Helper()
	ports := harness.FreePorts(t, 3)
	etcdURL := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	c := &cluster{
		url:         fmt.Sprintf("https://127.0.0.1:%d", ports[2]),
		issuer:      "https://127.0.0.1",
		pki:         newClusterPKI(t),
		kubectlHome: t.TempDir(),
	}
	c.etcd = startEtcd(t, etcdURL, fmt.Sprintf("http://127.0.0.1:%d", ports[1]))
	c.apiserver = harness.Start(t, harness.Spec{
		Name: "kube-apiserver",
		Dir:  t.TempDir(),
		Path: tools.Path("kube-apiserver"),
		Args: append(options.flags(),
			"--etcd-servers="+etcdURL,
			fmt.Sprintf("--secure-port=%d", ports[2]),
			"--bind-address=127.0.0.1",
			// TEST-NET-1: loopback is refused here, and the address of a real interface may not exist on a build machine.
			"--advertise-address=192.0.2.1",
			"--tls-cert-file="+c.pki.serverCertFile,
			"--tls-private-key-file="+c.pki.serverKeyFile,
			"--client-ca-file="+c.pki.caFile,
			"--service-account-issuer="+c.issuer,
			"--service-account-key-file="+c.pki.serviceAccountPub,
			"--service-account-signing-key-file="+c.pki.serviceAccountKeyFile,
			"--service-cluster-ip-range=10.0.0.0/24",
			// No controller-manager makes the default ServiceAccount that this plug-in would demand of every pod.
			"--disable-admission-plugins=ServiceAccount",
		),
		StopSignal:  syscall.SIGTERM,
		DeathSignal: syscall.SIGKILL,
	})
	client := c.adminHTTP(t)
	c.apiserver.WaitUntil(t, 90*time.Second, "kube-apiserver /readyz", func() error { return ready(client, c.url+"/readyz") })
	return c
}

func startEtcd(t *testing.T, clientURL, peerURL string) *harness.Process {
	t.Helper()
	etcd := harness.Start(t, harness.Spec{
		Name: "etcd",
		Dir:  t.TempDir(),
		Path: tools.Path("server"),
		Args: []string{
			"--data-dir=data",
			"--listen-client-urls=" + clientURL,
			"--advertise-client-urls=" + clientURL,
			"--listen-peer-urls=" + peerURL,
			"--initial-advertise-peer-urls=" + peerURL,
			"--initial-cluster=default=" + peerURL,
			// What is stored lives as long as the test; waiting for the disk protects nothing.
			"--unsafe-no-fsync",
		},
		StopSignal:  syscall.SIGTERM,
		DeathSignal: syscall.SIGKILL,
	})
	client := &http.Client{Timeout: 5 * time.Second}
	etcd.WaitUntil(t, 60*time.Second, "etcd /health", func() error { return ready(client, clientURL+"/health") })
	return etcd
}

// stop ends kube-apiserver before the etcd that it talks to.
func (c *cluster) stop(t *testing.T) {
	t.Helper()
	c.apiserver.Stop(t)
	c.etcd.Stop(t)
}

func (c *cluster) adminHTTP(t *testing.T) *http.Client {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(c.pki.adminCertFile, c.pki.adminKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pki.authority, Certificates: []tls.Certificate{certificate}}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: 5 * time.Second, Transport: transport}
}

func ready(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
