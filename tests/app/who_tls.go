package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// ownCertificate is this process's own, signed by nobody else: whoever sees it speaks to this very process.
var ownCertificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: who},
		DNSNames:     []string{who},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

func serveWhoTLS(address string) error {
	certificate, err := ownCertificate()
	if err != nil {
		return err
	}
	log.Printf("%s answers https on %s", who, address)
	settings := tls.Config{Certificates: []tls.Certificate{certificate}}
	server := http.Server{Addr: address, Handler: whoHandler(), TLSConfig: &settings}
	return server.ListenAndServeTLS("", "")
}

func tellCertificate(w http.ResponseWriter, r *http.Request) {
	certificate, err := ownCertificate()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%x\n", sha256.Sum256(certificate.Certificate[0]))
}
