package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

var (
	domainType = keccak([]byte(
		"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"))
	transferType = keccak([]byte(
		"TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter," +
			"uint256 validBefore,bytes32 nonce)"))
)

func keccak(parts ...[]byte) (out [32]byte) {
	hash := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		hash.Write(part)
	}
	hash.Sum(out[:0])
	return out
}

func domainSeparator(r *route) (out [32]byte, err error) {
	chain := number(strings.TrimPrefix(r.network, "eip155:"))
	asset, err := addressWord(r.asset)
	if err != nil || chain == nil {
		return out, errors.New("a route with a broken network or asset")
	}
	name, version := keccak([]byte(r.extra.Name)), keccak([]byte(r.extra.Version))
	return keccak(domainType[:], name[:], version[:], numberWord(chain), asset), nil
}

func unhex(text string, size int) ([]byte, error) {
	out, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(out) != size {
		return nil, errors.New("broken hexadecimal digits")
	}
	return out, nil
}

func addressWord(text string) ([]byte, error) {
	address, err := unhex(text, 20)
	if err != nil {
		return nil, err
	}
	return append(make([]byte, 12, 32), address...), nil
}

func numberWord(n *big.Int) []byte {
	return n.FillBytes(make([]byte, 32))
}

// isSigned tells whether the payer's key made the signature for this authorization of the route's token.
func (p *payment) isSigned(r *route) bool {
	a := &p.Payload.Authorization
	from, err := addressWord(a.From)
	if err != nil {
		return false
	}
	to, err := addressWord(a.To)
	if err != nil {
		return false
	}
	nonce, err := unhex(a.Nonce, 32)
	if err != nil {
		return false
	}
	message := keccak(transferType[:], from, to, numberWord(number(a.Value)), numberWord(number(a.ValidAfter)),
		numberWord(number(a.ValidBefore)), nonce)
	digest := keccak([]byte{0x19, 0x01}, r.domainDigest[:], message[:])
	signature, err := unhex(p.Payload.Signature, 65)
	if err != nil {
		return false
	}
	compact := append([]byte{signature[64]}, signature[:64]...)
	key, _, err := ecdsa.RecoverCompact(compact, digest[:])
	if err != nil {
		return false
	}
	account := keccak(key.SerializeUncompressed()[1:])
	return bytes.Equal(account[12:], from[12:])
}
