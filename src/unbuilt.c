/* SPDX-License-Identifier: Apache-2.0 */
/* unbuilt.c — temporary weak stand-ins while rooms land; removed when the last one has. */
__attribute__((weak)) void *coverage_name(void);
__attribute__((weak)) void *coverage_name(void) { return (void *)0; }
__attribute__((weak)) void *db_bind_blob(void);
__attribute__((weak)) void *db_bind_blob(void) { return (void *)0; }
__attribute__((weak)) void *db_bind_i64(void);
__attribute__((weak)) void *db_bind_i64(void) { return (void *)0; }
__attribute__((weak)) void *db_bind_str(void);
__attribute__((weak)) void *db_bind_str(void) { return (void *)0; }
__attribute__((weak)) void *db_changes(void);
__attribute__((weak)) void *db_changes(void) { return (void *)0; }
__attribute__((weak)) void *db_done(void);
__attribute__((weak)) void *db_done(void) { return (void *)0; }
__attribute__((weak)) void *db_exec(void);
__attribute__((weak)) void *db_exec(void) { return (void *)0; }
__attribute__((weak)) void *db_i64(void);
__attribute__((weak)) void *db_i64(void) { return (void *)0; }
__attribute__((weak)) void *db_last_id(void);
__attribute__((weak)) void *db_last_id(void) { return (void *)0; }
__attribute__((weak)) void *db_prep(void);
__attribute__((weak)) void *db_prep(void) { return (void *)0; }
__attribute__((weak)) void *db_reader(void);
__attribute__((weak)) void *db_reader(void) { return (void *)0; }
__attribute__((weak)) void *db_step(void);
__attribute__((weak)) void *db_step(void) { return (void *)0; }
__attribute__((weak)) void *db_str(void);
__attribute__((weak)) void *db_str(void) { return (void *)0; }
__attribute__((weak)) void *db_write(void);
__attribute__((weak)) void *db_write(void) { return (void *)0; }
__attribute__((weak)) void *db_write_async(void);
__attribute__((weak)) void *db_write_async(void) { return (void *)0; }
__attribute__((weak)) void *done_init(void);
__attribute__((weak)) void *done_init(void) { return (void *)0; }
__attribute__((weak)) void *done_signal(void);
__attribute__((weak)) void *done_signal(void) { return (void *)0; }
__attribute__((weak)) void *done_wait(void);
__attribute__((weak)) void *done_wait(void) { return (void *)0; }
__attribute__((weak)) void *event_append(void);
__attribute__((weak)) void *event_append(void) { return (void *)0; }
__attribute__((weak)) void *event_list(void);
__attribute__((weak)) void *event_list(void) { return (void *)0; }
__attribute__((weak)) void *event_verify(void);
__attribute__((weak)) void *event_verify(void) { return (void *)0; }
__attribute__((weak)) void *fiber_spawn(void);
__attribute__((weak)) void *fiber_spawn(void) { return (void *)0; }
__attribute__((weak)) void *gate_close(void);
__attribute__((weak)) void *gate_close(void) { return (void *)0; }
__attribute__((weak)) void *gate_metrics(void);
__attribute__((weak)) void *gate_metrics(void) { return (void *)0; }
__attribute__((weak)) void *gate_open(void);
__attribute__((weak)) void *gate_open(void) { return (void *)0; }
__attribute__((weak)) void *gate_reload(void);
__attribute__((weak)) void *gate_reload(void) { return (void *)0; }
__attribute__((weak)) void *gate_routes(void);
__attribute__((weak)) void *gate_routes(void) { return (void *)0; }
__attribute__((weak)) void *git_hook_main(void);
__attribute__((weak)) void *git_hook_main(void) { return (void *)0; }
__attribute__((weak)) void *http_body_json(void);
__attribute__((weak)) void *http_body_json(void) { return (void *)0; }
__attribute__((weak)) void *http_param(void);
__attribute__((weak)) void *http_param(void) { return (void *)0; }
__attribute__((weak)) void *http_query_bool(void);
__attribute__((weak)) void *http_query_bool(void) { return (void *)0; }
__attribute__((weak)) void *http_redirect(void);
__attribute__((weak)) void *http_redirect(void) { return (void *)0; }
__attribute__((weak)) void *http_reply(void);
__attribute__((weak)) void *http_reply(void) { return (void *)0; }
__attribute__((weak)) void *http_reply_json(void);
__attribute__((weak)) void *http_reply_json(void) { return (void *)0; }
__attribute__((weak)) void *http_router_add(void);
__attribute__((weak)) void *http_router_add(void) { return (void *)0; }
__attribute__((weak)) void *http_router_free(void);
__attribute__((weak)) void *http_router_free(void) { return (void *)0; }
__attribute__((weak)) void *http_router_new(void);
__attribute__((weak)) void *http_router_new(void) { return (void *)0; }
__attribute__((weak)) void *http_server_metrics(void);
__attribute__((weak)) void *http_server_metrics(void) { return (void *)0; }
__attribute__((weak)) void *http_server_port(void);
__attribute__((weak)) void *http_server_port(void) { return (void *)0; }
__attribute__((weak)) void *http_server_reload(void);
__attribute__((weak)) void *http_server_reload(void) { return (void *)0; }
__attribute__((weak)) void *http_server_start(void);
__attribute__((weak)) void *http_server_start(void) { return (void *)0; }
__attribute__((weak)) void *http_server_stop(void);
__attribute__((weak)) void *http_server_stop(void) { return (void *)0; }
__attribute__((weak)) void *http_set(void);
__attribute__((weak)) void *http_set(void) { return (void *)0; }
__attribute__((weak)) void *http_status(void);
__attribute__((weak)) void *http_status(void) { return (void *)0; }
__attribute__((weak)) void *hub_close(void);
__attribute__((weak)) void *hub_close(void) { return (void *)0; }
__attribute__((weak)) void *hub_fsck(void);
__attribute__((weak)) void *hub_fsck(void) { return (void *)0; }
__attribute__((weak)) void *hub_open(void);
__attribute__((weak)) void *hub_open(void) { return (void *)0; }
__attribute__((weak)) void *hub_routes(void);
__attribute__((weak)) void *hub_routes(void) { return (void *)0; }
__attribute__((weak)) void *id_authorize(void);
__attribute__((weak)) void *id_authorize(void) { return (void *)0; }
__attribute__((weak)) void *id_close(void);
__attribute__((weak)) void *id_close(void) { return (void *)0; }
__attribute__((weak)) void *id_name_check(void);
__attribute__((weak)) void *id_name_check(void) { return (void *)0; }
__attribute__((weak)) void *id_open(void);
__attribute__((weak)) void *id_open(void) { return (void *)0; }
__attribute__((weak)) void *id_org_add(void);
__attribute__((weak)) void *id_org_add(void) { return (void *)0; }
__attribute__((weak)) void *id_org_member(void);
__attribute__((weak)) void *id_org_member(void) { return (void *)0; }
__attribute__((weak)) void *id_owner_find(void);
__attribute__((weak)) void *id_owner_find(void) { return (void *)0; }
__attribute__((weak)) void *id_role_on_owner(void);
__attribute__((weak)) void *id_role_on_owner(void) { return (void *)0; }
__attribute__((weak)) void *id_routes(void);
__attribute__((weak)) void *id_routes(void) { return (void *)0; }
__attribute__((weak)) void *id_token_create(void);
__attribute__((weak)) void *id_token_create(void) { return (void *)0; }
__attribute__((weak)) void *id_token_revoke(void);
__attribute__((weak)) void *id_token_revoke(void) { return (void *)0; }
__attribute__((weak)) void *id_user_add(void);
__attribute__((weak)) void *id_user_add(void) { return (void *)0; }
__attribute__((weak)) void *id_user_disable(void);
__attribute__((weak)) void *id_user_disable(void) { return (void *)0; }
__attribute__((weak)) void *id_user_reviewer(void);
__attribute__((weak)) void *id_user_reviewer(void) { return (void *)0; }
__attribute__((weak)) void *notify_gen(void);
__attribute__((weak)) void *notify_gen(void) { return (void *)0; }
__attribute__((weak)) void *notify_wait(void);
__attribute__((weak)) void *notify_wait(void) { return (void *)0; }
__attribute__((weak)) void *pool_close(void);
__attribute__((weak)) void *pool_close(void) { return (void *)0; }
__attribute__((weak)) void *pool_deploy(void);
__attribute__((weak)) void *pool_deploy(void) { return (void *)0; }
__attribute__((weak)) void *pool_list(void);
__attribute__((weak)) void *pool_list(void) { return (void *)0; }
__attribute__((weak)) void *pool_open(void);
__attribute__((weak)) void *pool_open(void) { return (void *)0; }
__attribute__((weak)) void *pool_routes(void);
__attribute__((weak)) void *pool_routes(void) { return (void *)0; }
__attribute__((weak)) void *pool_start(void);
__attribute__((weak)) void *pool_start(void) { return (void *)0; }
__attribute__((weak)) void *pool_stop(void);
__attribute__((weak)) void *pool_stop(void) { return (void *)0; }
__attribute__((weak)) void *pool_undeploy(void);
__attribute__((weak)) void *pool_undeploy(void) { return (void *)0; }
__attribute__((weak)) void *repo_access(void);
__attribute__((weak)) void *repo_access(void) { return (void *)0; }
__attribute__((weak)) void *repo_find(void);
__attribute__((weak)) void *repo_find(void) { return (void *)0; }
__attribute__((weak)) void *repo_get(void);
__attribute__((weak)) void *repo_get(void) { return (void *)0; }
__attribute__((weak)) void *repo_type_name(void);
__attribute__((weak)) void *repo_type_name(void) { return (void *)0; }
__attribute__((weak)) void *repo_type_parse(void);
__attribute__((weak)) void *repo_type_parse(void) { return (void *)0; }
__attribute__((weak)) void *repo_type_prefix(void);
__attribute__((weak)) void *repo_type_prefix(void) { return (void *)0; }
__attribute__((weak)) void *review_cli_main(void);
__attribute__((weak)) void *review_cli_main(void) { return (void *)0; }
__attribute__((weak)) void *review_close(void);
__attribute__((weak)) void *review_close(void) { return (void *)0; }
__attribute__((weak)) void *review_open(void);
__attribute__((weak)) void *review_open(void) { return (void *)0; }
__attribute__((weak)) void *review_routes(void);
__attribute__((weak)) void *review_routes(void) { return (void *)0; }
__attribute__((weak)) void *review_start(void);
__attribute__((weak)) void *review_start(void) { return (void *)0; }
__attribute__((weak)) void *review_stop(void);
__attribute__((weak)) void *review_stop(void) { return (void *)0; }
__attribute__((weak)) void *review_worker_main(void);
__attribute__((weak)) void *review_worker_main(void) { return (void *)0; }
__attribute__((weak)) void *rt_drain_begin(void);
__attribute__((weak)) void *rt_drain_begin(void) { return (void *)0; }
__attribute__((weak)) void *rt_draining(void);
__attribute__((weak)) void *rt_draining(void) { return (void *)0; }
__attribute__((weak)) void *rt_loop(void);
__attribute__((weak)) void *rt_loop(void) { return (void *)0; }
__attribute__((weak)) void *rt_start(void);
__attribute__((weak)) void *rt_start(void) { return (void *)0; }
__attribute__((weak)) void *rt_stats_get(void);
__attribute__((weak)) void *rt_stats_get(void) { return (void *)0; }
__attribute__((weak)) void *rt_stop(void);
__attribute__((weak)) void *rt_stop(void) { return (void *)0; }
__attribute__((weak)) void *store_close(void);
__attribute__((weak)) void *store_close(void) { return (void *)0; }
__attribute__((weak)) void *store_notify(void);
__attribute__((weak)) void *store_notify(void) { return (void *)0; }
__attribute__((weak)) void *store_open(void);
__attribute__((weak)) void *store_open(void) { return (void *)0; }
__attribute__((weak)) void *store_path(void);
__attribute__((weak)) void *store_path(void) { return (void *)0; }
__attribute__((weak)) void *verdict_blob_get(void);
__attribute__((weak)) void *verdict_blob_get(void) { return (void *)0; }
__attribute__((weak)) void *verdict_gate(void);
__attribute__((weak)) void *verdict_gate(void) { return (void *)0; }
__attribute__((weak)) void *verdict_name(void);
__attribute__((weak)) void *verdict_name(void) { return (void *)0; }
__attribute__((weak)) void *verdict_revision_get(void);
__attribute__((weak)) void *verdict_revision_get(void) { return (void *)0; }
__attribute__((weak)) void *web_close(void);
__attribute__((weak)) void *web_close(void) { return (void *)0; }
__attribute__((weak)) void *web_html_error(void);
__attribute__((weak)) void *web_html_error(void) { return (void *)0; }
__attribute__((weak)) void *web_open(void);
__attribute__((weak)) void *web_open(void) { return (void *)0; }
__attribute__((weak)) void *web_routes(void);
__attribute__((weak)) void *web_routes(void) { return (void *)0; }
__attribute__((weak)) void *xet_close(void);
__attribute__((weak)) void *xet_close(void) { return (void *)0; }
__attribute__((weak)) void *xet_file_find(void);
__attribute__((weak)) void *xet_file_find(void) { return (void *)0; }
__attribute__((weak)) void *xet_fsck(void);
__attribute__((weak)) void *xet_fsck(void) { return (void *)0; }
__attribute__((weak)) void *xet_gc(void);
__attribute__((weak)) void *xet_gc(void) { return (void *)0; }
__attribute__((weak)) void *xet_open(void);
__attribute__((weak)) void *xet_open(void) { return (void *)0; }
__attribute__((weak)) void *xet_reader_close(void);
__attribute__((weak)) void *xet_reader_close(void) { return (void *)0; }
__attribute__((weak)) void *xet_reader_open(void);
__attribute__((weak)) void *xet_reader_open(void) { return (void *)0; }
__attribute__((weak)) void *xet_reader_read(void);
__attribute__((weak)) void *xet_reader_read(void) { return (void *)0; }
__attribute__((weak)) void *xet_routes(void);
__attribute__((weak)) void *xet_routes(void) { return (void *)0; }
__attribute__((weak)) void *xet_stats_get(void);
__attribute__((weak)) void *xet_stats_get(void) { return (void *)0; }
__attribute__((weak)) void *notify_bump(void);
__attribute__((weak)) void *notify_bump(void) { return (void *)0; }
__attribute__((weak)) void *notify_free(void);
__attribute__((weak)) void *notify_free(void) { return (void *)0; }
__attribute__((weak)) void *notify_new(void);
__attribute__((weak)) void *notify_new(void) { return (void *)0; }
__attribute__((weak)) void *http_begin(void);
__attribute__((weak)) void *http_begin(void) { return (void *)0; }
__attribute__((weak)) void *http_body_all(void);
__attribute__((weak)) void *http_body_all(void) { return (void *)0; }
__attribute__((weak)) void *http_body_read(void);
__attribute__((weak)) void *http_body_read(void) { return (void *)0; }
__attribute__((weak)) void *http_end(void);
__attribute__((weak)) void *http_end(void) { return (void *)0; }
__attribute__((weak)) void *http_header(void);
__attribute__((weak)) void *http_header(void) { return (void *)0; }
__attribute__((weak)) void *http_query(void);
__attribute__((weak)) void *http_query(void) { return (void *)0; }
__attribute__((weak)) void *http_range(void);
__attribute__((weak)) void *http_range(void) { return (void *)0; }
__attribute__((weak)) void *http_reply_empty(void);
__attribute__((weak)) void *http_reply_empty(void) { return (void *)0; }
__attribute__((weak)) void *http_setf(void);
__attribute__((weak)) void *http_setf(void) { return (void *)0; }
__attribute__((weak)) void *http_write(void);
__attribute__((weak)) void *http_write(void) { return (void *)0; }
__attribute__((weak)) void *hub_git_http_routes(void);
__attribute__((weak)) void *hub_git_http_routes(void) { return (void *)0; }
__attribute__((weak)) void *hub_lfs_routes(void);
__attribute__((weak)) void *hub_lfs_routes(void) { return (void *)0; }
__attribute__((weak)) void *repo_type_plural(void);
__attribute__((weak)) void *repo_type_plural(void) { return (void *)0; }
__attribute__((weak)) void *xet_cas_url(void);
__attribute__((weak)) void *xet_cas_url(void) { return (void *)0; }
__attribute__((weak)) void *xet_hash_str(void);
__attribute__((weak)) void *xet_hash_str(void) { return (void *)0; }
__attribute__((weak)) void *xet_token_make(void);
__attribute__((weak)) void *xet_token_make(void) { return (void *)0; }
