//! Parses a text as several databases would and walks every statement, query and function in it.
//!
//! Must stay true: a construct that is not listed here as harmless is `OTHER` or `CALL`, never a read.

use super::{Kind, condition, functions};
use sqlparser::ast::{
    AlterTableOperation, BinaryOperator, Expr, FromTable, Function, Insert, ObjectName, ObjectNamePart, ObjectType,
    OnConflictAction, OnInsert, Query, Select, Statement, TableFactor, Visit, Visitor,
};
use sqlparser::dialect::{Dialect, GenericDialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Levels the parser may recurse; with the lexical bounds it fits a small thread's stack.
const RECURSION: usize = 20;

/// What one reading of a text found.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) statements: usize,
    pub(super) tables: BTreeSet<String>,
    pub(super) changes: usize,
    pub(super) bounded: usize,
    pub(super) deletes: bool,
    pub(super) schema: bool,
    pub(super) grants: bool,
    /// Rows of a system table are changed, or one that holds passwords is read.
    system: bool,
    passwords: bool,
}

/// One walk for each database that can read the text at all.
pub(super) fn all_readings(text: &str) -> Vec<Walk> {
    let dialects: [&dyn Dialect; 5] =
        [&PostgreSqlDialect {}, &MySqlDialect {}, &MsSqlDialect {}, &SQLiteDialect {}, &GenericDialect {}];
    dialects.into_iter().filter_map(|dialect| reading(dialect, text)).collect()
}

fn reading(dialect: &dyn Dialect, text: &str) -> Option<Walk> {
    // SECURITY: the parser is not ours; a panic in it is a text that cannot be read.
    let walk = || {
        let statements =
            Parser::new(dialect).with_recursion_limit(RECURSION).try_with_sql(text).ok()?.parse_statements().ok()?;
        let mut walk = Walk { statements: statements.len(), ..Walk::default() };
        for statement in &statements {
            let _ = statement.visit(&mut walk);
        }
        walk.close();
        (!statements.is_empty()).then_some(walk)
    };
    catch_unwind(AssertUnwindSafe(walk)).ok().flatten()
}

impl Walk {
    fn note(&mut self, kind: Kind) {
        self.kinds.insert(kind);
    }

    fn delete(&mut self, kind: Kind) {
        self.deletes = true;
        self.kinds.insert(kind);
    }

    fn schema(&mut self, kind: Kind) {
        self.schema = true;
        self.kinds.insert(kind);
    }

    fn grant(&mut self) {
        self.grants = true;
        self.kinds.insert(Kind::Grant);
    }

    /// `changed`: what the changed table is called, if the statement names others beside it.
    fn change(&mut self, selection: Option<&Expr>, changed: Option<&[String]>) {
        self.changes += 1;
        self.bounded += usize::from(selection.is_some_and(|condition| condition::bounds(condition, changed)));
    }

    fn close(&mut self) {
        let reads = self.kinds.iter().all(|kind| matches!(kind, Kind::Select | Kind::Show));
        if self.system && !reads {
            self.grant();
        }
        if self.passwords {
            self.note(Kind::Other);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(_) => self.note(Kind::Select),
            // What is explained is walked as if it ran: ANALYZE runs it.
            Statement::Explain { .. } => {}
            Statement::ExplainTable { .. }
            | Statement::ShowVariable { .. }
            | Statement::ShowTables { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowDatabases { .. }
            | Statement::ShowSchemas { .. }
            | Statement::ShowViews { .. }
            | Statement::ShowCreate { .. }
            | Statement::ShowStatus { .. }
            | Statement::ShowVariables { .. }
            | Statement::ShowProcessList { .. }
            | Statement::ShowCharset(_)
            | Statement::ShowCollation { .. }
            | Statement::ShowObjects(_)
            | Statement::ShowFunctions { .. } => self.note(Kind::Show),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => {
                let several = update.from.is_some() || !update.table.joins.is_empty();
                let names = several.then(|| names_of(&update.table.relation));
                self.change(update.selection.as_ref(), names.as_deref());
                self.kinds.insert(if update.or.is_some() { Kind::Merge } else { Kind::Update });
            }
            Statement::Delete(delete) => {
                let tables = match &delete.from {
                    FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables,
                };
                let single = delete.using.is_none()
                    && delete.tables.is_empty()
                    && matches!(tables.as_slice(), [only] if only.joins.is_empty());
                // A bound on one of several tables says little about the others.
                self.change(delete.selection.as_ref(), (!single).then_some(&[][..]));
                self.delete(Kind::Delete);
            }
            Statement::Merge(merge) => {
                self.kinds.insert(Kind::Merge);
                // An action of a clause may delete; its text says so.
                self.deletes |= merge.clauses.iter().any(|clause| clause.to_string().to_uppercase().contains("DELETE"));
            }
            Statement::Truncate(_) => self.delete(Kind::Truncate),
            Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. } => self.note(Kind::Transaction),
            Statement::Set(set) => {
                self.grants |= set.to_string().to_uppercase().contains("PASSWORD");
                self.note(Kind::Set);
            }
            Statement::Use(_) | Statement::Reset(_) | Statement::Pragma { .. } | Statement::AlterSession { .. } => {
                self.kinds.insert(Kind::Set);
            }
            Statement::Lock(_) | Statement::LockTables { .. } => self.note(Kind::Lock),
            Statement::Copy { .. }
            | Statement::CopyIntoSnowflake { .. }
            | Statement::LoadData { .. }
            | Statement::Unload { .. }
            | Statement::ExportData(_) => self.note(Kind::Copy),
            Statement::Call(_) | Statement::Execute { .. } | Statement::Prepare { .. } => self.note(Kind::Call),
            other => self.definition(other),
        }
    }

    /// Statements about structure and permissions, and all that is left.
    fn definition(&mut self, statement: &Statement) {
        match statement {
            Statement::Drop { object_type, cascade, .. } => {
                let holds_no_rows =
                    matches!(object_type, ObjectType::View | ObjectType::Index | ObjectType::Role | ObjectType::User);
                // In some databases a user's tables go with the user.
                self.deletes |= !holds_no_rows || (*cascade && *object_type == ObjectType::User);
                self.grants |= matches!(object_type, ObjectType::Role | ObjectType::User);
                self.schema(Kind::Drop);
            }
            Statement::DropExtension(_) | Statement::DropDomain(_) => {
                self.deletes = true;
                self.schema(Kind::Drop);
            }
            Statement::DropPolicy(_) => {
                self.grants = true;
                self.schema(Kind::Drop);
            }
            Statement::DropFunction(_) | Statement::DropProcedure { .. } | Statement::DropTrigger(_) => {
                self.schema(Kind::Drop)
            }
            Statement::AlterTable(alter) => {
                self.deletes |= alter.operations.iter().any(removes_rows_or_columns);
                self.grants |= alter.operations.iter().any(changes_access);
                self.schema(Kind::Alter);
            }
            Statement::CreateTable(create) => {
                self.deletes |= create.or_replace;
                self.schema(Kind::Create);
            }
            Statement::Grant(_)
            | Statement::Revoke(_)
            | Statement::Deny(_)
            | Statement::CreateRole(_)
            | Statement::AlterRole { .. }
            | Statement::CreateUser(_)
            | Statement::AlterUser(_)
            | Statement::CreatePolicy(_)
            | Statement::AlterPolicy(_) => self.grant(),
            other => self.by_first_word(other),
        }
    }

    /// The many forms that need no further look, by the word they are written with.
    fn by_first_word(&mut self, statement: &Statement) {
        let text = statement.to_string().to_uppercase();
        self.grants |= text.contains(" OWNER TO ") || text.contains(" OWNED BY ") || text.contains("PRIVILEGES");
        match text.split_whitespace().next().unwrap_or_default() {
            "CREATE" => self.schema(Kind::Create),
            "ALTER" | "RENAME" | "COMMENT" => self.schema(Kind::Alter),
            "DROP" => {
                self.deletes = true;
                self.schema(Kind::Drop);
            }
            _ => self.note(Kind::Other),
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let keeps_rows = match &insert.on {
            None => true,
            Some(OnInsert::OnConflict(conflict)) => matches!(conflict.action, OnConflictAction::DoNothing),
            Some(_) => false,
        };
        if insert.overwrite {
            self.delete(Kind::Delete);
        }
        let plain = keeps_rows && insert.or.is_none() && !insert.replace_into;
        self.kinds.insert(if plain { Kind::Insert } else { Kind::Merge });
    }

    fn function(&mut self, name: &ObjectName) {
        let harmless = match name.0.as_slice() {
            [ObjectNamePart::Identifier(only)] => {
                only.quote_style.is_none() && functions::is_harmless(&only.value.to_lowercase())
            }
            [ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(only)] => {
                schema.value.eq_ignore_ascii_case("pg_catalog")
                    && only.quote_style.is_none()
                    && functions::is_harmless(&only.value.to_lowercase())
            }
            _ => false,
        };
        if !harmless {
            self.kinds.insert(Kind::Call);
        }
    }
}

/// What a table is called in the rest of the statement.
fn names_of(table: &TableFactor) -> Vec<String> {
    match table {
        TableFactor::Table { alias: Some(alias), .. } => vec![alias.name.value.to_lowercase()],
        TableFactor::Table { name, .. } => last_name(name).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn last_name(name: &ObjectName) -> Option<String> {
    match name.0.last() {
        Some(ObjectNamePart::Identifier(last)) => Some(last.value.to_lowercase()),
        _ => None,
    }
}

fn first_of_several(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(first), _, ..] => Some(first.value.to_lowercase()),
        _ => None,
    }
}

/// Tables that a database keeps about itself: writing them changes structure or permissions.
fn is_system(schema: Option<&str>, table: &str) -> bool {
    let own = ["pg_catalog", "information_schema", "mysql", "sys", "performance_schema", "msdb", "master"];
    schema.is_some_and(|schema| own.contains(&schema))
        || table.starts_with("pg_")
        || table.starts_with("sqlite_")
        || matches!(table, "sysusers" | "syslogins" | "sysobjects" | "sysxlogins" | "user$")
}

/// Tables in which a database keeps passwords.
fn holds_passwords(schema: Option<&str>, table: &str) -> bool {
    matches!(
        table,
        "pg_shadow"
            | "pg_authid"
            | "pg_user_mapping"
            | "pg_user_mappings"
            | "sql_logins"
            | "syslogins"
            | "sysxlogins"
            | "user$"
            | "dba_users"
            | "pg_subscription"
    ) || (schema == Some("mysql") && matches!(table, "user" | "global_priv" | "db" | "servers"))
}

/// Whether a table needs a closer look than its being read.
pub(super) fn is_guarded(schema: Option<&str>, table: &str) -> bool {
    is_system(schema, table) || holds_passwords(schema, table)
}

fn removes_rows_or_columns(operation: &AlterTableOperation) -> bool {
    matches!(
        operation,
        AlterTableOperation::DropColumn { .. }
            | AlterTableOperation::DropPartitions { .. }
            | AlterTableOperation::DetachPartition { .. }
            | AlterTableOperation::ModifyColumn { .. }
            | AlterTableOperation::ChangeColumn { .. }
            | AlterTableOperation::SwapWith { .. }
            | AlterTableOperation::ClearProjection { .. }
    )
}

fn changes_access(operation: &AlterTableOperation) -> bool {
    matches!(
        operation,
        AlterTableOperation::OwnerTo { .. }
            | AlterTableOperation::DisableRowLevelSecurity
            | AlterTableOperation::EnableRowLevelSecurity
            | AlterTableOperation::ForceRowLevelSecurity
            | AlterTableOperation::NoForceRowLevelSecurity
    )
}

fn is_variable(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@'))
}

impl Visitor for Walk {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.statement(statement);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.kinds.insert(Kind::Select);
        if !query.locks.is_empty() || query.settings.is_some() || !query.pipe_operators.is_empty() {
            self.note(Kind::Lock);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.into.is_some() {
            self.schema(Kind::Create);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let schema = first_of_several(relation);
        let table = last_name(relation).unwrap_or_default();
        self.system |= is_system(schema.as_deref(), &table);
        self.passwords |= holds_passwords(schema.as_deref(), &table);
        if self.tables.len() < 256 {
            self.tables.insert(relation.to_string().to_lowercase());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => self.function(name),
            TableFactor::TableFunction { .. } => self.note(Kind::Call),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(Function { name, .. }) => self.function(name),
            Expr::BinaryOp {
                op: BinaryOperator::Assignment | BinaryOperator::Custom(_) | BinaryOperator::PGCustomBinaryOperator(_),
                ..
            } => self.note(Kind::Call),
            // `SELECT @a = 1` sets a variable in some databases.
            Expr::BinaryOp { left, op: BinaryOperator::Eq, .. } if is_variable(left) => self.note(Kind::Call),
            Expr::Lambda(_) | Expr::Prefixed { .. } => self.note(Kind::Call),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
