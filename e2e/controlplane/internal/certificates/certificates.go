// Package certificates makes the throw-away authority of one control plane and what it signs.
package certificates

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime is generous for a demo left open and short for a key that leaks.
const lifetime = 30 * 24 * time.Hour

// Authority signs certificates and writes them into its folder.
type Authority struct {
	directory   string
	certificate *x509.Certificate
	key         crypto.Signer
}

// NewAuthority makes an authority and writes `ca.crt`; its key never touches the disk.
func NewAuthority(directory string) (*Authority, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "controlplane-ca"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(lifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	authority := &Authority{directory: directory, certificate: certificate, key: key}
	return authority, os.WriteFile(authority.Path(), authority.PEM(), 0o600)
}

// Path is the file with the authority's own certificate.
func (a *Authority) Path() string { return filepath.Join(a.directory, "ca.crt") }

// PEM is the authority's own certificate.
func (a *Authority) PEM() []byte { return encode("CERTIFICATE", a.certificate.Raw) }

// Pool holds only this authority.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Pair is a certificate and its key, on disk and in memory.
type Pair struct {
	CertificatePath, KeyPath string
	CertificatePEM, KeyPEM   []byte
}

// TLS is the pair as a server presents it.
func (p Pair) TLS() (tls.Certificate, error) { return tls.X509KeyPair(p.CertificatePEM, p.KeyPEM) }

// Client signs a client certificate: the common name is the user, the organisations its groups.
func (a *Authority) Client(user string, groups ...string) (Pair, error) {
	return a.issue(user, &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Server signs a serving certificate for names and addresses.
func (a *Authority) Server(file string, names []string, addresses []net.IP) (Pair, error) {
	return a.issue(file, &x509.Certificate{
		Subject:     pkix.Name{CommonName: file},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names,
		IPAddresses: addresses,
	})
}

func (a *Authority) issue(file string, template *x509.Certificate) (Pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Pair{}, err
	}
	template.SerialNumber = serial
	template.NotBefore = a.certificate.NotBefore
	template.NotAfter = a.certificate.NotAfter
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("sign %s: %w", file, err)
	}
	pair := Pair{
		CertificatePath: filepath.Join(a.directory, file+".crt"),
		KeyPath:         filepath.Join(a.directory, file+".key"),
		CertificatePEM:  encode("CERTIFICATE", der),
		KeyPEM:          keyPEM,
	}
	if err := os.WriteFile(pair.CertificatePath, pair.CertificatePEM, 0o600); err != nil {
		return Pair{}, err
	}
	return pair, os.WriteFile(pair.KeyPath, pair.KeyPEM, 0o600)
}

// SigningKey writes a bare private key, as service-account tokens are signed with.
func SigningKey(path string) error {
	_, keyPEM, err := newKey()
	if err != nil {
		return err
	}
	return os.WriteFile(path, keyPEM, 0o600)
}

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, encode("EC PRIVATE KEY", der), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
