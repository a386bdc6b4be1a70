package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

const protocolVersion = 1

type object = map[string]any

var addressForm = regexp.MustCompile(`^go-loop://(127\.0\.0\.1:[1-9][0-9]{0,4})$`)

// tunnel is one published tunnel: a listening port on loopback whose visitors are handed to Beam.
type tunnel struct {
	listener *net.TCPListener
	mutex    sync.Mutex
	visitors map[*net.TCPConn]struct{}
	closed   bool
}

type backend struct {
	output  *wire
	mutex   sync.Mutex
	data    string
	tunnels map[string]*tunnel
}

func newBackend(output *wire) *backend {
	return &backend{output: output, tunnels: map[string]*tunnel{}}
}

func (b *backend) call(ctx context.Context, method string, params json.RawMessage) (any, error) {
	switch method {
	case "initialize":
		return b.initialize(params)
	case "network_type":
		return object{
			"networkType": "go-loop",
			"addresses":   object{"prefixes": []string{"go-loop://"}, "suffixes": []string{}},
			"dialReveals": []string{"That somebody on this machine connects."},
		}, nil
	case "capabilities":
		return object{
			"supportsDomains": false, "supportsIPv6": false, "maxThroughput": nil,
			"anonymityLevel": "none", "censorshipResistance": "none", "delivery": "stream",
			"exposesPublisherIp": true, "exposesVisitorIp": true, "persistentAddresses": true, "accessControl": false,
		}, nil
	case "create_tunnel":
		return b.createTunnel(ctx, params)
	case "destroy_tunnel":
		return b.destroyTunnel(params)
	case "status":
		return object{"state": "running"}, nil
	case "network_stats":
		return object{}, nil
	case "reach":
		return b.reach(ctx, params)
	case "dial":
		return b.dial(ctx, params)
	case "shutdown":
		b.close()
		return object{}, nil
	default:
		return nil, &refusal{number: methodNotFound, message: "no such method", Kind: "unsupported"}
	}
}

func (b *backend) initialize(raw json.RawMessage) (any, error) {
	var params struct {
		ProtocolVersions []int `json:"protocolVersions"`
		Paths            struct {
			Data string `json:"data"`
		} `json:"paths"`
	}
	if err := read(raw, &params); err != nil {
		return nil, err
	}
	if !slices.Contains(params.ProtocolVersions, protocolVersion) {
		return nil, &refusal{message: fmt.Sprintf("go-loop speaks version %d of the protocol only", protocolVersion), Kind: "unsupported"}
	}
	b.mutex.Lock()
	b.data = params.Paths.Data
	b.mutex.Unlock()
	return object{"protocolVersion": protocolVersion, "version": "1.0.0"}, nil
}

func (b *backend) createTunnel(ctx context.Context, raw json.RawMessage) (any, error) {
	var params struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Streams struct {
			Host  string `json:"host"`
			Port  int    `json:"port"`
			Token string `json:"token"`
		} `json:"streams"`
	}
	if err := read(raw, &params); err != nil {
		return nil, err
	}
	b.output.notify("progress", object{"tunnel": params.ID, "phase": "listen", "message": "opening a loopback port"})
	// One at a time, so that two tunnels of one name cannot both take a new port for it.
	b.mutex.Lock()
	defer b.mutex.Unlock()
	// A destroy_tunnel that follows a cancel may have come first: then nothing must be left of this tunnel.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ports := b.readPorts()
	port, kept := ports[params.Name]
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil && kept {
		return nil, &refusal{message: "the name is in use by another process", Kind: "unavailable", Code: "BEAM_ERR_NAME_IN_USE"}
	}
	if err != nil {
		return nil, &refusal{message: "no port could be opened: " + err.Error(), Kind: "unavailable"}
	}
	if params.Name != "" && !kept {
		// Kept before it is used: the address survives a crash from here on.
		ports[params.Name] = listener.Addr().(*net.TCPAddr).Port
		if err := b.writePorts(ports); err != nil {
			_ = listener.Close()
			return nil, err
		}
	}
	created := &tunnel{listener: listener, visitors: map[*net.TCPConn]struct{}{}}
	b.tunnels[params.ID] = created
	go created.serve(net.JoinHostPort(params.Streams.Host, strconv.Itoa(params.Streams.Port)), params.Streams.Token)
	address := "go-loop://" + listener.Addr().String()
	b.output.notify("address", object{"tunnel": params.ID, "address": address})
	endpoint := object{"address": address, "state": "active", "reveals": []string{"That the service runs on this machine."}}
	return object{"id": params.ID, "endpoints": []object{endpoint}}, nil
}

// serve takes visitors until the listener is closed.
func (t *tunnel) serve(beam, token string) {
	for {
		visitor, err := t.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "a visitor could not be accepted:", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		go t.visit(visitor, beam, token)
	}
}

func (t *tunnel) visit(visitor *net.TCPConn, beam, token string) {
	service, err := connect(context.Background(), beam)
	if err != nil || !t.admit(visitor) {
		reset(visitor)
		if service != nil {
			reset(service)
		}
		return
	}
	defer t.forget(visitor)
	if _, err := service.Write([]byte(token + "\n")); err != nil {
		reset(visitor)
		reset(service)
		return
	}
	join(visitor, service)
}

func (t *tunnel) admit(visitor *net.TCPConn) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if !t.closed {
		t.visitors[visitor] = struct{}{}
	}
	return !t.closed
}

func (t *tunnel) forget(visitor *net.TCPConn) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	delete(t.visitors, visitor)
}

func (t *tunnel) close() {
	_ = t.listener.Close()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closed = true
	for visitor := range t.visitors {
		reset(visitor)
	}
}

func (b *backend) destroyTunnel(raw json.RawMessage) (any, error) {
	var params struct {
		ID string `json:"id"`
	}
	if err := read(raw, &params); err != nil {
		return nil, err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if known, ok := b.tunnels[params.ID]; ok {
		delete(b.tunnels, params.ID)
		known.close()
	}
	return object{}, nil
}

func (b *backend) reach(ctx context.Context, raw json.RawMessage) (any, error) {
	started := time.Now()
	far, err := open(ctx, raw)
	if err != nil {
		return nil, err
	}
	elapsed := time.Since(started)
	reset(far)
	return object{"kind": "direct", "hops": 0, "latencyMs": float64(elapsed.Microseconds()) / 1000}, nil
}

func (b *backend) dial(ctx context.Context, raw json.RawMessage) (any, error) {
	far, err := open(ctx, raw)
	if err != nil {
		return nil, err
	}
	port, token, err := handOver(far)
	if err != nil {
		reset(far)
		return nil, err
	}
	return object{"socket": object{"host": "127.0.0.1", "port": port}, "token": token}, nil
}

func open(ctx context.Context, raw json.RawMessage) (*net.TCPConn, error) {
	var params struct {
		Address string `json:"address"`
	}
	if err := read(raw, &params); err != nil {
		return nil, err
	}
	match := addressForm.FindStringSubmatch(params.Address)
	if match == nil {
		return nil, &refusal{message: "this is no go-loop address", Kind: "unreachable", Code: "BEAM_ERR_ADDRESS_INVALID"}
	}
	far, err := connect(ctx, match[1])
	if err != nil {
		return nil, &refusal{message: "nobody answers at this address", Kind: "unreachable", Code: "BEAM_ERR_NOT_FOUND"}
	}
	return far, nil
}

func (b *backend) close() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for id, known := range b.tunnels {
		delete(b.tunnels, id)
		known.close()
	}
}

func (b *backend) readPorts() map[string]int {
	ports := map[string]int{}
	text, err := os.ReadFile(filepath.Join(b.data, "ports.json"))
	if err == nil {
		err = json.Unmarshal(text, &ports)
	}
	if err != nil {
		return map[string]int{}
	}
	return ports
}

func (b *backend) writePorts(ports map[string]int) error {
	text, err := json.Marshal(ports)
	if err != nil {
		return err
	}
	path := filepath.Join(b.data, "ports.json")
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func read(raw json.RawMessage, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return &refusal{number: invalidParams, message: "bad parameters: " + err.Error()}
	}
	return nil
}
