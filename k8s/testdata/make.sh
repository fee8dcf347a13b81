#!/bin/sh
# Makes the certificates of the tests anew, beside this script. Needs openssl 3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
: >"$work/index"
cat >"$work/conf" <<EOF
[ca]
default_ca = own
[own]
database = $work/index
new_certs_dir = $work
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
[elsewhere]
subjectAltName = DNS:api.elsewhere.test
extendedKeyUsage = serverAuth
[expired]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
EOF

# sign NAME EXTENSIONS LAST-DAY: a key and a certificate by our authority.
sign() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$work/$1.csr"
  openssl ca -batch -notext -config "$work/conf" -extensions "$2" \
    -startdate 20200101000000Z -enddate "$3" \
    -in "$work/$1.csr" -out "$1.pem" \
    -keyfile "$work/ca.key" -cert ca.pem 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
  }
}

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ca.key"
openssl req -new -key "$work/ca.key" -subj "/CN=ca" -out "$work/ca.csr"
openssl ca -batch -notext -config "$work/conf" -extensions authority -selfsign \
  -startdate 20200101000000Z -enddate 21200101000000Z \
  -in "$work/ca.csr" -out ca.pem -keyfile "$work/ca.key" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
sign server server 21200101000000Z
sign elsewhere elsewhere 21200101000000Z
sign client client 21200101000000Z
sign expired expired 20210101000000Z
