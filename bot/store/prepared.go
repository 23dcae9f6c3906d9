package store

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// preparedMax bounds the statements kept compiled. Texts with a varying number
// of parameters are several statements; what does not fit is compiled each time.
const preparedMax = 256

// prepared keeps the statements of SQLite's one writing connection compiled,
// which saves reading their text for every delivery. A statement met for the
// first time runs as it is and is compiled after its transaction, since the
// connection is busy until then. PostgreSQL's driver keeps statements itself.
type prepared struct {
	mu    sync.Mutex
	ready map[string]*sql.Stmt // nil: it cannot be compiled by itself
	asked []string
}

// find gives the compiled statement of a text, or nil.
func (p *prepared) find(text string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	stmt, known := p.ready[text]
	if !known && len(p.ready) < preparedMax && !strings.Contains(text, ";") {
		if p.ready == nil {
			p.ready = map[string]*sql.Stmt{}
		}
		p.ready[text] = nil
		p.asked = append(p.asked, text)
	}
	return stmt
}

// compile compiles what was asked for since the last time.
func (p *prepared) compile(ctx context.Context, db *sql.DB) {
	p.mu.Lock()
	asked := p.asked
	p.asked = nil
	p.mu.Unlock()
	for _, text := range asked {
		stmt, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // kept until the pool closes
		if err != nil {
			continue // it goes on being run as it is
		}
		p.mu.Lock()
		p.ready[text] = stmt
		p.mu.Unlock()
	}
}

// compiledTx runs statements of a transaction compiled, where they are.
type compiledTx struct {
	tx *sql.Tx
	p  *prepared
}

// ExecContext implements querier.
func (c compiledTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := c.p.find(query); stmt != nil {
		return c.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return c.tx.ExecContext(ctx, query, args...)
}

// QueryContext implements querier.
func (c compiledTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := c.p.find(query); stmt != nil {
		return c.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return c.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext implements querier.
func (c compiledTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := c.p.find(query); stmt != nil {
		return c.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return c.tx.QueryRowContext(ctx, query, args...)
}
