package receiver_test

import (
	"database/sql"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// BenchmarkShared is how many callbacks replicas make durable on one PostgreSQL, whose
// commits are on the disk, as a share of what as many bare handlers do that insert a row in
// a transaction, each with as many connections. Turns of both follow each other, and
// no jobs run: those would take from both alike.
//
//	go test ./pkg/receive/receiver -run '^$' -bench Shared -benchtime 10x
func BenchmarkShared(b *testing.B) {
	durable := &postgrestest.Server{Durable: true}
	for replicas := 1; replicas <= 3; replicas++ {
		b.Run(strconv.Itoa(replicas), func(b *testing.B) { benchShared(b, durable, replicas) })
	}
}

func benchShared(b *testing.B, server *postgrestest.Server, replicas int) {
	const turn = 500 // callbacks
	address := server.Database(b)
	server.SQL(b, address[strings.LastIndexByte(address, '/')+1:], bareTable)
	var receivers, handlers []string
	for range replicas {
		receivers = append(receivers, benchReplica(b, connect(b, address)))
		handlers = append(handlers, bareHandler(b, connect(b, address)))
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	volley := func(to []string) time.Duration {
		begin := time.Now()
		sideBySide(b, 64, turn, func(i int) error { return send(client, to[i%len(to)], benchID.Add(1)) })
		return time.Since(begin)
	}
	volley(receivers) // connections are made
	volley(handlers)
	var ours, bare time.Duration
	for b.Loop() {
		ours += volley(receivers)
		bare += volley(handlers)
	}
	b.ReportMetric(float64(b.N*turn)/ours.Seconds(), "req/s")
	b.ReportMetric(float64(b.N*turn)/bare.Seconds(), "bare/s")
	b.ReportMetric(float64(bare)/float64(ours), "of-bare")
}

// benchReplica serves a receiver on a database that it shares, whose jobs wait.
func benchReplica(b *testing.B, db *sql.DB) (url string) {
	b.Helper()
	s := newStation(b, func(c *receiver.Config) {
		c.Provider.Faxes, c.Log, c.Database = every{c.Provider.Faxes.(*cloud)}, nil, db
	})
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ServeAlone(l)
	}()
	b.Cleanup(func() {
		l.Close()
		<-done
	})
	return "http://" + l.Addr().String() + "/fax/done"
}
