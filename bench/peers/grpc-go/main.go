// Keeps requests in flight against a gRPC server for a while and prints what became of them as one line of JSON. It sends bodies
// as they are in files, one after the other.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// raw moves bytes and looks at nothing.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*(v.(*[]byte)) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = raw{}

func main() {
	target := flag.String("target", "", "host:port")
	path := flag.String("path", "", "full method")
	connections := flag.Int("connections", 4, "connections")
	inFlight := flag.Int("in-flight", 4, "requests in flight on each connection")
	seconds := flag.Float64("seconds", 10, "for how long")
	files := flag.String("bodies", "", "files, separated by commas")
	flag.Parse()

	var bodies [][]byte
	for _, name := range strings.Split(*files, ",") {
		body, err := os.ReadFile(name)
		if err != nil {
			fail(err)
		}
		bodies = append(bodies, body)
	}

	var acknowledged, failed atomic.Int64
	var lastError atomic.Value
	until := time.Now().Add(time.Duration(*seconds * float64(time.Second)))
	var running sync.WaitGroup
	for c := 0; c < *connections; c++ {
		connection, err := grpc.NewClient(*target,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
		if err != nil {
			fail(err)
		}
		defer connection.Close()
		for i := 0; i < *inFlight; i++ {
			running.Add(1)
			go func(slot int) {
				defer running.Done()
				var response []byte
				for n := slot; time.Now().Before(until); n++ {
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
					err := connection.Invoke(ctx, *path, bodies[n%len(bodies)], &response)
					cancel()
					if err == nil {
						acknowledged.Add(1)
						continue
					}
					failed.Add(1)
					lastError.Store(err.Error())
					time.Sleep(10 * time.Millisecond)
				}
			}(c**inFlight + i)
		}
	}
	running.Wait()
	result := map[string]any{"acknowledged": acknowledged.Load(), "failed": failed.Load()}
	if last := lastError.Load(); last != nil {
		result["error"] = last
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
