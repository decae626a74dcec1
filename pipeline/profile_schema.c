/* The keys of a profile: one row a key for libcyaml, and one row a rule for what libcyaml does not check. */
#include "pipeline/config.h"
#include "pipeline/profile.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define OPTIONAL CYAML_FLAG_OPTIONAL
#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define NEEDED_TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_DEFAULT, type, member, 0, CYAML_UNLIMITED)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, OPTIONAL, type, member)
#define SIGNED(key, type, member) CYAML_FIELD_INT(key, OPTIONAL, type, member)
#define DECIMAL(key, type, member) CYAML_FIELD_FLOAT(key, OPTIONAL, type, member)
#define TRUTH(key, type, member) CYAML_FIELD_BOOL(key, OPTIONAL, type, member)
#define LIST(key, type, member, entry)                                                                                           \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL | CYAML_FLAG_POINTER, type, member, entry, 0, CYAML_UNLIMITED)
#define MAP(key, type, member, fields) CYAML_FIELD_MAPPING(key, OPTIONAL, type, member, fields)

static const cyaml_schema_value_t text_entry = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

static const cyaml_schema_field_t condition_fields[] = {
    TEXT("field", struct profile_condition, field),
    LIST("values", struct profile_condition, values, &text_entry),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t column_fields[] = {
    NEEDED_TEXT("field", struct profile_column, field),
    LIST("titles", struct profile_column, titles, &text_entry),
    TRUTH("dossier", struct profile_column, dossier),
    TRUTH("required", struct profile_column, required),
    MAP("required-if", struct profile_column, required_if, condition_fields),
    LIST("kinds", struct profile_column, kinds, &text_entry),
    NUMBER("max-length", struct profile_column, max_length),
    LIST("codes", struct profile_column, codes, &text_entry),
    LIST("labels", struct profile_column, labels, &text_entry),
    TRUTH("multiple", struct profile_column, multiple),
    TEXT("format", struct profile_column, format),
    TEXT("article", struct profile_column, article),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t column_entry = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_column, column_fields)};

static const cyaml_schema_field_t kind_rule_fields[] = {
    MAP("when", struct profile_kind_rule, when, condition_fields),
    NEEDED_TEXT("kind", struct profile_kind_rule, kind),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t kind_rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_kind_rule, kind_rule_fields)};

static const cyaml_schema_field_t refusal_fields[] = {
    NEEDED_TEXT("field", struct profile_refusal, field),
    LIST("values", struct profile_refusal, values, &text_entry),
    TEXT("reason", struct profile_refusal, reason),
    TEXT("article", struct profile_refusal, article),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t refusal_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_refusal, refusal_fields)};

static const cyaml_strval_t layouts[] = {{"dossiers", LAYOUT_DOSSIERS}, {"plain", LAYOUT_PLAIN}};
static const cyaml_strval_t levels[] = {{"B-B", LEVEL_B_B}, {"B-T", LEVEL_B_T}, {"B-LT", LEVEL_B_LT}, {"B-LTA", LEVEL_B_LTA}};

static const cyaml_schema_field_t ingest_fields[] = {
    CYAML_FIELD_ENUM("layout", OPTIONAL | CYAML_FLAG_STRICT, struct profile_ingest, layout, layouts, COUNT(layouts)),
    LIST("spreadsheets", struct profile_ingest, spreadsheets, &text_entry),
    NUMBER("settle-seconds", struct profile_ingest, settle_seconds),
    LIST("unfinished", struct profile_ingest, unfinished, &text_entry),
    TEXT("dossier-field", struct profile_ingest, dossier_field),
    TEXT("ordinal-field", struct profile_ingest, ordinal_field),
    TEXT("code-field", struct profile_ingest, code_field),
    NUMBER("ordinal-digits", struct profile_ingest, ordinal_digits),
    LIST("columns", struct profile_ingest, columns, &column_entry),
    LIST("kind-rules", struct profile_ingest, kind_rules, &kind_rule_entry),
    LIST("refuse", struct profile_ingest, refuse, &refusal_entry),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t language_fields[] = {
    NEEDED_TEXT("code", struct profile_language, code),
    NEEDED_TEXT("tag", struct profile_language, tag),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t language_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_language, language_fields)};

static const cyaml_schema_field_t check_fields[] = {
    TEXT("no-dpi", struct profile_checks, no_dpi),
    TEXT("low-dpi", struct profile_checks, low_dpi),
    TEXT("low-colour", struct profile_checks, low_colour),
    TEXT("blank-page", struct profile_checks, blank_page),
    TEXT("double-page", struct profile_checks, double_page),
    TEXT("turned-page", struct profile_checks, turned_page),
    TEXT("paper-size", struct profile_checks, paper_size),
    TEXT("low-bit-rate", struct profile_checks, low_bit_rate),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t media_fields[] = {
    LIST("sound", struct profile_media, sound, &text_entry),
    LIST("video", struct profile_media, video, &text_entry),
    NUMBER("sound-kbps", struct profile_media, sound_kbps),
    NUMBER("video-kbps", struct profile_media, video_kbps),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t convert_fields[] = {
    TEXT("flavour", struct profile_convert, flavour),
    TEXT("ocr", struct profile_convert, ocr),
    NUMBER("default-dpi", struct profile_convert, default_dpi),
    NUMBER("min-dpi", struct profile_convert, min_dpi),
    NUMBER("min-dpi-map", struct profile_convert, min_dpi_map),
    TRUTH("trust-claims", struct profile_convert, trust_claims),
    TEXT("signed-not-pdfa", struct profile_convert, signed_not_pdfa),
    TEXT("proof", struct profile_convert, proof),
    TEXT("attachments", struct profile_convert, attachments),
    TEXT("photos", struct profile_convert, photos),
    MAP("media", struct profile_convert, media, media_fields),
    NUMBER("range-pages", struct profile_convert, range_pages),
    NUMBER("redraw-dpi", struct profile_convert, redraw_dpi),
    TEXT("secret", struct profile_convert, secret),
    LIST("secret-marks", struct profile_convert, secret_marks, &text_entry),
    TEXT("secret-article", struct profile_convert, secret_article),
    MAP("checks", struct profile_convert, checks, check_fields),
    LIST("sidecars", struct profile_convert, sidecars, &text_entry),
    NUMBER("ocr-page-seconds", struct profile_convert, ocr_page_seconds),
    LIST("languages", struct profile_convert, languages, &language_entry),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t appearance_fields[] = {
    TRUTH("visible", struct profile_appearance, visible),
    TEXT("page", struct profile_appearance, page),
    TEXT("anchor", struct profile_appearance, anchor),
    DECIMAL("margin-mm", struct profile_appearance, margin_mm),
    DECIMAL("max-width-mm", struct profile_appearance, max_width_mm),
    TEXT("text", struct profile_appearance, text),
    TEXT("reference", struct profile_appearance, reference),
    TEXT("picture", struct profile_appearance, picture),
    TEXT("picture-side", struct profile_appearance, picture_side),
    TEXT("taken", struct profile_appearance, taken),
    TEXT("font", struct profile_appearance, font),
    DECIMAL("size-pt", struct profile_appearance, size_pt),
    SIGNED("time-offset-min", struct profile_appearance, time_offset_min),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t sign_fields[] = {
    CYAML_FIELD_ENUM("level", OPTIONAL | CYAML_FLAG_STRICT, struct profile_sign, level, levels, COUNT(levels)),
    TEXT("digest", struct profile_sign, digest),
    LIST("algorithms", struct profile_sign, algorithms, &text_entry),
    MAP("appearance", struct profile_sign, appearance, appearance_fields),
    TEXT("organisation-match", struct profile_sign, organisation_match),
    NUMBER("revocation-max-age-s", struct profile_sign, revocation_max_age_s),
    NUMBER("timestamp-within-s", struct profile_sign, timestamp_within_s),
    NUMBER("clock-tolerance-s", struct profile_sign, clock_tolerance_s),
    NUMBER("min-rsa-bits", struct profile_sign, min_rsa_bits),
    TEXT("reason", struct profile_sign, reason),
    TEXT("location", struct profile_sign, location),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t bundle_fields[] = {
    TEXT("kind", struct profile_bundle, kind),
    TEXT("form", struct profile_bundle, form),
    TRUTH("seal", struct profile_bundle, seal),
    TRUTH("without-quarantined", struct profile_bundle, without_quarantined),
    TEXT("archive-code", struct profile_bundle, archive_code),
    SIGNED("time-offset-min", struct profile_bundle, time_offset_min),
    TEXT("mets-profile", struct profile_bundle, mets_profile),
    TEXT("mets-profile-rep", struct profile_bundle, mets_profile_rep),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits_fields[] = {
    NUMBER("item-seconds", struct profile_limits, item_seconds),
    NUMBER("item-cpu-seconds", struct profile_limits, item_cpu_seconds),
    NUMBER("item-memory-mib", struct profile_limits, item_memory_mib),
    NUMBER("file-mib", struct profile_limits, file_mib),
    NUMBER("retries", struct profile_limits, retries),
    NUMBER("pause-limit-s", struct profile_limits, pause_limit_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t profile_fields[] = {
    NEEDED_TEXT("name", struct profile, name),
    TEXT("title", struct profile, title),
    TEXT("extends", struct profile, extends),
    CYAML_FIELD_SEQUENCE("stages", CYAML_FLAG_POINTER, struct profile, stages, &text_entry, 1, CYAML_UNLIMITED),
    MAP("ingest", struct profile, ingest, ingest_fields),
    MAP("convert", struct profile, convert, convert_fields),
    MAP("sign", struct profile, sign, sign_fields),
    MAP("bundle", struct profile, bundle, bundle_fields),
    MAP("limits", struct profile, limits, limits_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t profile_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile, profile_fields)};

static const char *const stage_words[] = {"ingest", "convert", "sign", "augment", "bundle", "validate", NULL};
static const char *const format_words[] = {"text", "number", "date", "date-partial", NULL};
static const char *const item_kinds[] = {"paper", "map", "photo", "received", "media", NULL};
static const char *const reasons[] = {"secret", "excluded", NULL};
static const char *const flavours[] = {"1b", "2b", "2u", "3b", "3u", NULL};
static const char *const secrecies[] = {"hold", "refuse", NULL};
static const char *const actions[] = {"off", "note", "hold", "quarantine", NULL};
static const char *const signed_words[] = {"keep", "quarantine", NULL};
static const char *const proof_words[] = {"decoded", "coded", NULL};
static const char *const attachment_words[] = {"take-out", "convert", "embed", "quarantine", NULL};
static const char *const photo_words[] = {"pdf", "keep", NULL};
static const char *const sound_words[] = {"mp3", "wma", "wav", "flac", "ogg", "m4a", NULL};
static const char *const video_words[] = {"mp4", "mov", "avi", "wmv", "mkv", "mpg", NULL};
static const char *const sidecar_words[] = {"alto", "text", NULL};
static const char *const pictures[] = {"none", "seal", "signature", NULL};
static const char *const taken_words[] = {"cover", "move", "hold", NULL};
static const char *const sides[] = {"left", "above", "behind", NULL};
static const char *const digests[] = {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512", NULL};
static const char *const algorithm_words[] = {"rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519", NULL};
static const char *const pages[] = {"first", "last", NULL};
static const char *const anchors[] = {"top-right", "top-left", "bottom-right", "bottom-left", NULL};
static const char *const matches[] = {"subject-o", "none", NULL};
static const char *const bundle_kinds[] = {"aip_hoso", NULL};
static const char *const bundle_forms[] = {"folder", "zip", NULL};

/* What stands in the last column is technique, not law: a value that a rule book decides has no place here. */
static const struct config_rule rules[] = {
    {"stages[]", 0, 0, stage_words, NULL},
    {"ingest.layout", 0, 0, NULL, "plain"},
    {"ingest.settle-seconds", 0, 86400, NULL, "0"},
    {"ingest.ordinal-digits", 1, 12, NULL, "7"},
    {"ingest.columns[].kinds[]", 0, 0, item_kinds, NULL},
    {"ingest.columns[].max-length", 0, 1000000, NULL, "0"},
    {"ingest.columns[].format", 0, 0, format_words, "text"},
    {"ingest.columns[].article", 0, 0, NULL, ""},
    {"ingest.kind-rules[].kind", 0, 0, item_kinds, NULL},
    {"ingest.refuse[].reason", 0, 0, reasons, "excluded"},
    {"ingest.refuse[].article", 0, 0, NULL, ""},
    {"convert.flavour", 0, 0, flavours, "2b"},
    {"convert.ocr", 0, 0, NULL, "none"},
    {"convert.default-dpi", 50, 2400, NULL, "200"},
    {"convert.min-dpi", 0, 2400, NULL, "0"},
    {"convert.min-dpi-map", 0, 2400, NULL, "0"},
    {"convert.signed-not-pdfa", 0, 0, signed_words, "quarantine"},
    {"convert.proof", 0, 0, proof_words, "decoded"},
    {"convert.attachments", 0, 0, attachment_words, "take-out"},
    {"convert.photos", 0, 0, photo_words, "pdf"},
    {"convert.media.sound[]", 0, 0, sound_words, NULL},
    {"convert.media.video[]", 0, 0, video_words, NULL},
    {"convert.media.sound-kbps", 0, 100000, NULL, "0"},
    {"convert.media.video-kbps", 0, 1000000, NULL, "0"},
    {"convert.range-pages", 0, 10000, NULL, "8"},
    {"convert.redraw-dpi", 72, 1200, NULL, "200"},
    {"convert.secret", 0, 0, secrecies, "hold"},
    {"convert.secret-article", 0, 0, NULL, ""},
    {"convert.checks.no-dpi", 0, 0, actions, "note"},
    {"convert.checks.low-dpi", 0, 0, actions, "note"},
    {"convert.checks.low-colour", 0, 0, actions, "note"},
    {"convert.checks.blank-page", 0, 0, actions, "off"},
    {"convert.checks.double-page", 0, 0, actions, "off"},
    {"convert.checks.turned-page", 0, 0, actions, "off"},
    {"convert.checks.paper-size", 0, 0, actions, "off"},
    {"convert.checks.low-bit-rate", 0, 0, actions, "note"},
    {"convert.sidecars[]", 0, 0, sidecar_words, NULL},
    {"convert.ocr-page-seconds", 1, 86400, NULL, "300"},
    {"sign.level", 0, 0, NULL, "B-LTA"},
    {"sign.digest", 0, 0, digests, "sha256"},
    {"sign.algorithms[]", 0, 0, algorithm_words, NULL},
    {"sign.appearance.page", 0, 0, pages, "first"},
    {"sign.appearance.anchor", 0, 0, anchors, "top-right"},
    {"sign.appearance.margin-mm", 0, 200, NULL, "10"},
    {"sign.appearance.max-width-mm", 5, 1000, NULL, "80"},
    {"sign.appearance.text", 0, 0, NULL, "{organisation}\n{time}"},
    {"sign.appearance.reference", 0, 0, NULL, ""},
    {"sign.appearance.picture", 0, 0, pictures, "none"},
    {"sign.appearance.picture-side", 0, 0, sides, "left"},
    {"sign.appearance.taken", 0, 0, taken_words, "cover"},
    {"sign.appearance.font", 0, 0, NULL, "Tinos-Regular"},
    {"sign.appearance.size-pt", 4, 72, NULL, "10"},
    {"sign.appearance.time-offset-min", -720, 840, NULL, "0"},
    {"sign.organisation-match", 0, 0, matches, "subject-o"},
    {"sign.revocation-max-age-s", 1, 31536000, NULL, "3600"},
    {"sign.timestamp-within-s", 0, 86400, NULL, "600"},
    {"sign.clock-tolerance-s", 1, 86400, NULL, "60"},
    {"sign.min-rsa-bits", 1024, 16384, NULL, "2048"},
    {"bundle.kind", 0, 0, bundle_kinds, "aip_hoso"},
    {"bundle.form", 0, 0, bundle_forms, "folder"},
    {"bundle.archive-code", 0, 0, NULL, ""},
    {"bundle.time-offset-min", -720, 840, NULL, "0"},
    {"bundle.mets-profile", 0, 0, NULL, "https://earkaip.dilcis.eu/profile/E-ARK-AIP.xml"},
    {"bundle.mets-profile-rep", 0, 0, NULL, "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"},
    {"limits.item-seconds", 1, 86400, NULL, "1800"},
    {"limits.item-cpu-seconds", 1, 86400, NULL, "1800"},
    {"limits.item-memory-mib", 64, 1048576, NULL, "4096"},
    {"limits.file-mib", 1, 16777216, NULL, "16384"},
    {"limits.retries", 0, 10, NULL, "1"},
    {"limits.pause-limit-s", 0, 604800, NULL, "3600"},
    {NULL, 0, 0, NULL, NULL},
};

const struct config_kind profile_kind = {.area = "profile", .schema = &profile_schema, .rules = rules};
