//! Functions that only compute. Everything else may do anything: read files, call other hosts, end
//! sessions, change sequences and settings.

#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    // Aggregates and windows.
    "count", "sum", "avg", "min", "max", "array_agg", "string_agg", "group_concat", "listagg", "json_agg", "jsonb_agg",
    "json_object_agg", "jsonb_object_agg", "bool_and", "bool_or", "every", "any_value", "approx_count_distinct", "row_number",
    "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value",
    "percentile_cont", "percentile_disc", "median", "mode", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop",
    "var_samp", "corr", "grouping",
    // Values and conditions.
    "coalesce", "nullif", "ifnull", "isnull", "nvl", "iif", "if", "greatest", "least", "cast", "try_cast", "convert",
    // Text.
    "lower", "upper", "length", "len", "char_length", "character_length", "octet_length", "trim", "ltrim", "rtrim", "btrim",
    "substr", "substring", "concat", "concat_ws", "replace", "split_part", "left", "right", "lpad", "rpad", "reverse",
    "position", "strpos", "instr", "charindex", "locate", "ascii", "chr", "char", "initcap", "translate", "soundex",
    "regexp_replace", "regexp_match", "regexp_matches", "regexp_like", "regexp_substr", "string_to_array", "array_to_string",
    "md5", "sha1", "sha2", "sha256", "hex", "encode", "to_char", "starts_with", "levenshtein", "similarity",
    // Numbers.
    "abs", "ceil", "ceiling", "floor", "round", "trunc", "truncate", "sign", "sqrt", "power", "pow", "exp", "ln", "log",
    "log2", "log10", "mod", "div", "random", "rand", "to_number", "width_bucket", "pi",
    // Time.
    "now", "current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "getdate", "sysdate",
    "sysdatetime", "date", "time", "datetime", "timestamp", "date_trunc", "date_part", "datepart", "date_add", "date_sub",
    "dateadd", "datediff", "date_diff", "timestampdiff", "timestampadd", "date_format", "extract", "strftime", "julianday",
    "to_date", "to_timestamp", "age", "make_date", "make_interval", "year", "month", "day", "hour", "minute", "second",
    "quarter", "week", "dayofweek", "dayofmonth", "dayofyear", "from_unixtime", "unix_timestamp", "curdate", "curtime",
    // JSON and arrays.
    "json_extract", "json_extract_path", "json_extract_path_text", "jsonb_extract_path", "jsonb_extract_path_text",
    "json_build_object", "jsonb_build_object", "json_build_array", "jsonb_build_array", "json_object", "json_array",
    "json_value", "json_query", "json_exists", "json_array_length", "jsonb_array_length", "json_typeof", "jsonb_typeof",
    "json_array_elements", "jsonb_array_elements", "json_array_elements_text", "jsonb_array_elements_text", "json_each",
    "jsonb_each", "to_json", "to_jsonb", "json_unquote", "json_contains", "array_length", "cardinality", "unnest",
    "array_position", "generate_series",
    // Who and where.
    "current_user", "session_user", "user", "current_schema", "current_database", "database", "schema", "version",
    "gen_random_uuid", "uuid_generate_v4", "uuid", "newid",
    // Full text.
    "to_tsvector", "to_tsquery", "plainto_tsquery", "websearch_to_tsquery", "ts_rank", "ts_headline",
];

/// Whether the function with this bare lower-case name only computes.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
}
