"""Runs KQL over rows, both given as JSON on stdin; answers with the rows that each query gives, or why it cannot run."""

import json
import sys

import duckdb_kql

given = json.load(sys.stdin)
connection = duckdb_kql.connect()
# Kusto reckons in UTC, DuckDB in the zone of the machine.
connection.sql("SET TimeZone = 'UTC'")
kinds = {'datetime': 'TIMESTAMP', 'string': 'VARCHAR', 'dynamic': 'JSON', 'int': 'INTEGER', 'long': 'BIGINT', 'real': 'DOUBLE'}
for table, columns in given['tables'].items():
    described = ', '.join(f'"{name}" {kinds[kind]}' for name, kind in columns.items())
    connection.execute(f'CREATE TABLE "{table}" ({described})')
    for row in given['rows'].get(table, []):
        cells = [json.dumps(row[name]) if kind == 'dynamic' else row.get(name) for name, kind in columns.items()]
        connection.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(cells))})', cells)

answers = {}
for name, query in given['queries'].items():
    try:
        result = duckdb_kql.query(connection, query)
        answers[name] = {'rows': [dict(zip(result.columns, row)) for row in result.fetchall()]}
    except duckdb_kql.KqlUnsupportedError as error:
        answers[name] = {'unsupported': str(error)}
json.dump(answers, sys.stdout, default=lambda value: value.isoformat() + 'Z' if hasattr(value, 'isoformat') else str(value))
