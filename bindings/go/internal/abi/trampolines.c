#include "trampolines.h"

#include "_cgo_export.h"

static void on_event(void *context, const cmr_event *event) {
    cmreload_go_event((uintptr_t)context, (cmr_event *)event);
}

static cmr_status on_validate(void *context, const cmr_snapshot *candidate, cmr_error *error) {
    return cmreload_go_validate((uintptr_t)context, (cmr_snapshot *)candidate, error);
}

static cmr_status on_parse(void *context, const char *key, const void *bytes, size_t size,
                           cmr_sink *json, cmr_error *error) {
    return cmreload_go_parse((uintptr_t)context, (char *)key, (void *)bytes, size, json, error);
}

static void on_closed(void *context) {
    cmreload_go_closed((uintptr_t)context);
}

static void on_log(void *context, int32_t level, const char *message, size_t size) {
    (void)context;
    cmreload_go_log(level, (char *)message, size);
}

cmr_status cmreload_go_subscribe(cmr_watcher *watcher, uintptr_t handle, cmr_error *error) {
    return cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_UPCOMING, on_event, (void *)handle,
                                 NULL, error);
}

cmr_status cmreload_go_set_closed(cmr_watcher *watcher, uintptr_t handle) {
    return cmr_watcher_set_closed(watcher, on_closed, (void *)handle);
}

cmr_status cmreload_go_set_validator(cmr_watcher *watcher, uintptr_t handle) {
    return cmr_watcher_set_validator(watcher, on_validate, (void *)handle);
}

cmr_status cmreload_go_set_parser(cmr_watcher *watcher, const char *key_pattern, uintptr_t handle,
                                  cmr_error *error) {
    return cmr_watcher_set_parser(watcher, key_pattern, on_parse, (void *)handle, error);
}

cmr_status cmreload_go_set_log(int32_t level) {
    return cmr_set_log_handler(level > 0 ? on_log : NULL, NULL, level);
}
