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
    // BigQuery.
    "struct", "array", "safe_cast", "safe_divide", "safe_offset", "countif", "logical_and", "logical_or", "format_date",
    "format_timestamp", "format_datetime", "parse_date", "parse_timestamp", "parse_datetime", "timestamp_trunc",
    "timestamp_diff", "timestamp_add", "timestamp_sub", "datetime_trunc", "datetime_diff", "datetime_add", "datetime_sub",
    "generate_array", "generate_date_array", "generate_timestamp_array", "array_concat", "array_reverse", "approx_quantiles",
    "approx_top_count", "farm_fingerprint", "to_json_string", "json_extract_scalar", "json_extract_array", "regexp_contains",
    "regexp_extract", "regexp_extract_all", "split", "contains_substr", "ends_with", "normalize", "to_hex", "from_hex",
    "to_base64", "from_base64", "unix_seconds", "unix_millis", "timestamp_seconds", "timestamp_millis", "last_day",
    // Snowflake.
    "flatten", "object_construct", "object_keys", "array_construct", "array_size", "array_contains",
    "parse_json", "try_parse_json", "iff", "zeroifnull", "nullifzero", "nvl2", "decode", "to_varchar", "to_variant",
    "to_array", "to_object", "to_boolean", "try_to_number", "try_to_date", "try_to_timestamp", "to_timestamp_ntz",
    "convert_timezone", "monthname", "dayname", "time_slice", "ratio_to_report", "hash", "approx_percentile", "get_path",
    "object_agg", "booland_agg", "boolor_agg", "contains", "strtok", "hll", "min_by", "max_by",
    // SQL Server.
    "count_big", "string_split", "openjson", "isjson", "format", "datename", "eomonth", "datefromparts", "try_convert",
    "choose", "patindex", "stuff", "quotename", "checksum", "hashbytes", "getutcdate", "sysutcdatetime", "object_id",
    "object_name", "schema_name", "db_name", "isnumeric", "space", "replicate", "unicode", "nchar", "difference", "parsename",
    // PostgreSQL.
    "pg_size_pretty", "pg_total_relation_size", "pg_relation_size", "pg_table_size", "pg_indexes_size", "pg_database_size",
    "pg_get_viewdef", "pg_get_indexdef", "pg_get_constraintdef", "pg_typeof", "format_type", "obj_description",
    "col_description", "to_regclass", "quote_ident", "quote_literal", "date_bin", "justify_days", "justify_hours",
    "justify_interval", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "make_timestamp", "overlay",
    "string_to_table", "regexp_split_to_array", "regexp_split_to_table", "regexp_count", "unaccent",
    "array_remove", "array_append", "array_prepend", "array_cat", "array_positions", "array_upper", "array_lower",
    "jsonb_set", "jsonb_strip_nulls", "json_strip_nulls", "jsonb_pretty", "jsonb_path_query", "jsonb_path_exists",
    "jsonb_object_keys", "json_object_keys", "json_to_recordset", "jsonb_to_recordset", "row_to_json", "num_nonnulls",
    "num_nulls", "regr_slope", "covar_pop", "covar_samp", "bit_length", "pg_is_in_recovery",
    // Places.
    "st_distance", "st_dwithin", "st_within", "st_contains", "st_intersects", "st_astext", "st_asgeojson", "st_makepoint",
    "st_point", "st_setsrid", "st_transform", "st_area", "st_length", "st_buffer", "st_centroid", "st_x", "st_y",
    "st_geogpoint", "st_geomfromtext", "st_geogfromtext",
    // MySQL.
    "find_in_set", "field", "elt", "json_arrayagg", "json_objectagg", "json_length", "json_keys", "json_search",
    "substring_index", "str_to_date", "time_to_sec", "sec_to_time", "weekday", "yearweek", "makedate",
    "period_diff", "utc_timestamp", "utc_date", "inet_aton", "inet_ntoa", "unhex", "crc32", "bit_count", "bin", "oct",
    // SQLite and ClickHouse.
    "printf", "total", "typeof", "json_group_array", "json_group_object", "json_type", "json_valid", "unixepoch", "uniq",
    "uniqexact", "sumif", "avgif", "quantile", "argmax", "argmin", "todate", "todatetime", "tostartofday",
    "tostartofhour", "tostartofmonth", "todayofweek", "toyyyymm", "tostring", "arrayjoin", "has",
    // Oracle.
    "add_months", "months_between", "next_day", "sys_guid", "ora_hash", "regexp_instr", "systimestamp",
    // Full text.
    "to_tsvector", "to_tsquery", "plainto_tsquery", "websearch_to_tsquery", "ts_rank", "ts_headline",
];

/// Whether the function with this bare lower-case name only computes.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
}
