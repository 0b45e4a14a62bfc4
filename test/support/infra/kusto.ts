import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The parser and type checker of Kusto, as Microsoft publishes it for editors: transpiled from C#, hence the names. Only
 * what is used here is typed.
 */
export interface SyntaxNode {
  toString(): string;
  readonly Start: number;
  readonly constructor: { readonly $$name?: string };
  readonly Expression?: SyntaxNode;
  readonly Selector?: SyntaxNode;
  readonly Left?: SyntaxNode;
  readonly Right?: SyntaxNode;
  readonly Operator?: { toString(): string };
  readonly ReferencedSymbol?: { readonly Name: string } | null;
  readonly SimpleName?: string;
  /** Of a literal. */
  readonly LiteralValue?: unknown;
}

interface List<T> {
  readonly Count: number;
  getItem(index: number): T;
}

interface Kusto {
  Language: {
    KustoCode: {
      ParseAndAnalyze(
        text: string,
        globals: unknown,
      ): {
        readonly Syntax: SyntaxNode;
        readonly ResultType: { readonly Columns?: List<{ Name: string; Type: { Name: string } }> } | null;
        GetDiagnostics(): List<{ Code: string; Severity: string; Message: string; Start: number; Length: number }>;
      };
    };
    GlobalState: { Default: { WithDatabase(database: unknown): unknown } };
    Symbols: {
      DatabaseSymbol: { ctor: new (name: string, tables: unknown[]) => unknown };
      TableSymbol: { $ctor7: new (name: string, schema: string, description: string | null) => unknown };
    };
    Syntax: { SyntaxElement: { WalkNodes(root: SyntaxNode, visit: (node: SyntaxNode) => void): void } };
  };
}

/**
 * Columns of the tables of a workspace, as far as they are of use to us:
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/appevents, …/appexceptions, …/apptraces
 */
const common =
  'TimeGenerated: datetime, Properties: dynamic, Measurements: dynamic, OperationName: string, OperationId: string, ' +
  'ParentId: string, AppRoleName: string, AppRoleInstance: string, AppVersion: string, SDKVersion: string, ' +
  'ItemCount: int, IKey: string, Type: string, _ResourceId: string';
export const tables: Record<string, string> = {
  _LogOperation: '(TimeGenerated: datetime, Category: string, Operation: string, Level: string, Detail: string)',
  AppEvents: `(${common}, Name: string)`,
  AppExceptions:
    `(${common}, ProblemId: string, ExceptionType: string, Message: string, Method: string, Assembly: string, ` +
    'HandledAt: string, OuterMessage: string, OuterType: string, OuterMethod: string, InnermostMessage: string, ' +
    'InnermostType: string, InnermostMethod: string, SeverityLevel: int, Details: dynamic)',
};

let loaded: { kusto: Kusto; globals: unknown } | undefined;

/** Takes half a second the first time. */
function load() {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@kusto/language-service-next/package.json'));
  // They are scripts for browsers: they leave a global behind, and the first must be there before the second.
  require(join(folder, 'bridge.min.js'));
  require(join(folder, 'Kusto.Language.Bridge.min.js'));
  const { Kusto: kusto } = globalThis as unknown as { Kusto: Kusto };
  const { DatabaseSymbol, TableSymbol } = kusto.Language.Symbols;
  const symbols = Object.entries(tables).map(([name, schema]) => new TableSymbol.$ctor7(name, schema, null));
  const database = new DatabaseSymbol.ctor('workspace', symbols);
  loaded = { kusto, globals: kusto.Language.GlobalState.Default.WithDatabase(database) };
  return loaded;
}

export interface Analysis {
  /** `message: text`, in the order of the query. */
  errors: string[];
  /** Column → type. */
  columns: Record<string, string>;
  nodes: SyntaxNode[];
}

export function analyse(query: string): Analysis {
  const { kusto, globals } = load();
  const code = kusto.Language.KustoCode.ParseAndAnalyze(query, globals);
  const errors = items(code.GetDiagnostics()).map(({ Message, Start, Length }) => {
    return `${Message} ${JSON.stringify(query.slice(Start, Start + Length))}`;
  });
  const columns = items(code.ResultType?.Columns).map(({ Name, Type }) => [Name, Type.Name]);
  const nodes: SyntaxNode[] = [];
  kusto.Language.Syntax.SyntaxElement.WalkNodes(code.Syntax, (node) => nodes.push(node));
  return { errors, columns: Object.fromEntries(columns), nodes };
}

/** Last part of the name of a node's class, e.g. `PathExpression`. */
export function kind(node: SyntaxNode | undefined): string {
  return node?.constructor.$$name?.split('.').at(-1) ?? '';
}

function items<T>(list: List<T> | undefined): T[] {
  return Array.from({ length: list?.Count ?? 0 }, (_, index) => (list as List<T>).getItem(index));
}
