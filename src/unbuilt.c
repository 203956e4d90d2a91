/* SPDX-License-Identifier: Apache-2.0 */
/* unbuilt.c — temporary weak stand-ins while rooms land; removed when the last one has. */
__attribute__((weak)) void *hub_fsck(void);
__attribute__((weak)) void *hub_fsck(void) { return (void *)0; }
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
__attribute__((weak)) void *repo_type_plural(void);
__attribute__((weak)) void *repo_type_plural(void) { return (void *)0; }
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
__attribute__((weak)) void *web_close(void);
__attribute__((weak)) void *web_close(void) { return (void *)0; }
__attribute__((weak)) void *web_html_error(void);
__attribute__((weak)) void *web_html_error(void) { return (void *)0; }
__attribute__((weak)) void *web_open(void);
__attribute__((weak)) void *web_open(void) { return (void *)0; }
__attribute__((weak)) void *web_routes(void);
__attribute__((weak)) void *web_routes(void) { return (void *)0; }
__attribute__((weak)) void *xet_cas_url(void);
__attribute__((weak)) void *xet_cas_url(void) { return (void *)0; }
__attribute__((weak)) void *xet_close(void);
__attribute__((weak)) void *xet_close(void) { return (void *)0; }
__attribute__((weak)) void *xet_file_find(void);
__attribute__((weak)) void *xet_file_find(void) { return (void *)0; }
__attribute__((weak)) void *xet_fsck(void);
__attribute__((weak)) void *xet_fsck(void) { return (void *)0; }
__attribute__((weak)) void *xet_gc(void);
__attribute__((weak)) void *xet_gc(void) { return (void *)0; }
__attribute__((weak)) void *xet_hash_str(void);
__attribute__((weak)) void *xet_hash_str(void) { return (void *)0; }
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
__attribute__((weak)) void *xet_token_make(void);
__attribute__((weak)) void *xet_token_make(void) { return (void *)0; }
__attribute__((weak)) void *pool_log_tail(void);
__attribute__((weak)) void *pool_log_tail(void) { return (void *)0; }
__attribute__((weak)) void *review_override(void);
__attribute__((weak)) void *review_override(void) { return (void *)0; }
