package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	// How long a dialled stream waits to be fetched.
	handoverTime = 10 * time.Second
	connectTime  = 10 * time.Second
	maxTokenLine = 4096
)

// reset breaks a connection off so that the other side sees a reset (RST) and not an end.
func reset(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	_ = connection.Close()
}

// join joins two connections in both directions: an end ends one direction (half-close), a reset of one resets the other.
func join(a, b *net.TCPConn) {
	var both sync.WaitGroup
	both.Add(2)
	broken := make(chan struct{}, 2)
	pump := func(from, to *net.TCPConn) {
		defer both.Done()
		if _, err := io.Copy(to, from); err != nil {
			broken <- struct{}{}
			reset(a)
			reset(b)
			return
		}
		_ = to.CloseWrite()
	}
	go pump(a, b)
	go pump(b, a)
	both.Wait()
	if len(broken) == 0 {
		_ = a.Close()
		_ = b.Close()
	}
}

func connect(ctx context.Context, address string) (*net.TCPConn, error) {
	dialler := net.Dialer{Timeout: connectTime}
	connection, err := dialler.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return connection.(*net.TCPConn), nil
}

// handOver offers a stream to Beam: a loopback port and a token that is good for one connection, so that nobody else can take it.
func handOver(far *net.TCPConn) (port int, token string, err error) {
	secret := make([]byte, 32)
	if _, err = rand.Read(secret); err != nil {
		return 0, "", err
	}
	token = base64.RawURLEncoding.EncodeToString(secret)
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, "", err
	}
	_ = listener.SetDeadline(time.Now().Add(handoverTime))
	go func() {
		defer listener.Close()
		for {
			connection, err := listener.AcceptTCP()
			if err != nil {
				reset(far)
				return
			}
			if !saysToken(connection, token) {
				reset(connection)
				continue
			}
			_ = listener.Close()
			join(connection, far)
			return
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, token, nil
}

// saysToken reads the first line byte by byte: what follows it belongs to the stream.
func saysToken(connection *net.TCPConn, token string) bool {
	_ = connection.SetReadDeadline(time.Now().Add(time.Second))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	var line strings.Builder
	one := make([]byte, 1)
	for line.Len() < maxTokenLine {
		if _, err := io.ReadFull(connection, one); err != nil {
			return false
		}
		if one[0] == '\n' {
			return subtle.ConstantTimeCompare([]byte(line.String()), []byte(token)) == 1
		}
		line.WriteByte(one[0])
	}
	return false
}
