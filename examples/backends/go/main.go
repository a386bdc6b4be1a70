// A Beam backend in Go (standard library only): an example network over loopback TCP.
//
// An address looks like go-loop://127.0.0.1:40123 and hides nothing: it is for learning and for tests. The protocol is described in
// docs/executable-backends.md. Standard output carries protocol messages only; everything else goes to standard error.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

const maxLineBytes = 1 << 20

type request struct {
	ID     *int64          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// refusal is an answer that says no: Kind tells Beam what sort of failure it is.
type refusal struct {
	number  int
	message string
	Kind    string `json:"kind,omitempty"`
	Code    string `json:"code,omitempty"`
}

func (r *refusal) Error() string { return r.message }

const (
	methodNotFound = -32601
	invalidParams  = -32602
	failed         = -32000
)

// wire writes one message per line.
type wire struct {
	mutex sync.Mutex
	out   io.Writer
}

func (w *wire) send(message map[string]any) {
	message["jsonrpc"] = "2.0"
	line, err := json.Marshal(message)
	if err != nil {
		fmt.Fprintln(os.Stderr, "a message could not be written:", err)
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	_, _ = w.out.Write(append(line, '\n'))
}

func (w *wire) notify(method string, params map[string]any) {
	w.send(map[string]any{"method": method, "params": params})
}

func (w *wire) answer(id int64, result any, err error) {
	if err == nil {
		w.send(map[string]any{"id": id, "result": result})
		return
	}
	number := failed
	data := &refusal{Kind: "unavailable"}
	var told *refusal
	if errors.As(err, &told) {
		data = told
		if told.number != 0 {
			number = told.number
		}
	}
	w.send(map[string]any{"id": id, "error": map[string]any{"code": number, "message": err.Error(), "data": data}})
}

func main() {
	output := &wire{out: os.Stdout}
	backend := newBackend(output)
	var mutex sync.Mutex
	running := map[int64]context.CancelFunc{}

	// The end of standard input means that Beam is gone, and so everything ends.
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 64*1024), maxLineBytes+1)
	for lines.Scan() {
		var call request
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			fmt.Fprintln(os.Stderr, "a line is not JSON:", err)
			os.Exit(1)
		}
		if call.Method == "cancel" {
			var cancel struct {
				Request int64 `json:"request"`
			}
			_ = json.Unmarshal(call.Params, &cancel)
			mutex.Lock()
			if stop, known := running[cancel.Request]; known {
				stop()
			}
			mutex.Unlock()
			continue
		}
		if call.ID == nil {
			continue
		}
		id := *call.ID
		ctx, stop := context.WithCancel(context.Background())
		mutex.Lock()
		running[id] = stop
		mutex.Unlock()
		go func() {
			result, err := backend.call(ctx, call.Method, call.Params)
			output.answer(id, result, err)
			mutex.Lock()
			delete(running, id)
			mutex.Unlock()
			stop()
		}()
	}
	backend.close()
}
