CREATE TABLE capsules (
    run bigint NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE evaluations (
    number bigint NOT NULL,
    id character varying(32) NOT NULL,
    run bigint NOT NULL,
    digest character varying(64) NOT NULL,
    request text NOT NULL,
    state character varying(16) NOT NULL,
    created_at double precision NOT NULL,
    started_at double precision,
    finished_at double precision,
    attempt integer NOT NULL,
    worker character varying(80),
    beat bigint NOT NULL,
    share double precision,
    error text,
    result text
);
CREATE SEQUENCE evaluations_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE evaluations_number_seq OWNED BY evaluations.number;
CREATE TABLE examples (
    name character varying(60) NOT NULL,
    run bigint,
    shows text NOT NULL,
    machine text NOT NULL
);
CREATE TABLE findings (
    run bigint NOT NULL,
    detail bytea NOT NULL
);
CREATE TABLE log (
    id bigint NOT NULL,
    run bigint NOT NULL,
    at double precision NOT NULL,
    attempt integer NOT NULL,
    kind character varying(16) NOT NULL,
    message text NOT NULL
);
CREATE SEQUENCE log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE log_id_seq OWNED BY log.id;
CREATE TABLE machines (
    worker character varying(80) NOT NULL,
    processor character varying(200) NOT NULL,
    cores integer NOT NULL,
    load double precision,
    memory_bytes bigint,
    disk_bytes bigint,
    disk_free_bytes bigint
);
CREATE TABLE places (
    run bigint NOT NULL,
    place bigint NOT NULL
);
CREATE TABLE points (
    id bigint NOT NULL,
    run bigint NOT NULL,
    step integer NOT NULL,
    epoch double precision NOT NULL,
    split character varying(5) NOT NULL,
    loss double precision NOT NULL,
    top1 double precision NOT NULL,
    top5 double precision,
    lr double precision
);
CREATE SEQUENCE points_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE points_id_seq OWNED BY points.id;
CREATE TABLE removals (
    run bigint NOT NULL,
    at double precision NOT NULL
);
CREATE TABLE runs (
    number bigint NOT NULL,
    id character varying(32) NOT NULL,
    owner character varying(64) NOT NULL,
    spec text NOT NULL,
    digest character varying(64) NOT NULL,
    priority integer NOT NULL,
    name character varying(64),
    architecture character varying(60) NOT NULL,
    policy character varying(60) NOT NULL,
    dataset character varying(60) NOT NULL,
    epochs integer NOT NULL,
    replicate integer NOT NULL,
    counts text NOT NULL,
    state character varying(16) NOT NULL,
    cancel_requested boolean NOT NULL,
    created_at double precision NOT NULL,
    started_at double precision,
    finished_at double precision,
    attempt integer NOT NULL,
    worker character varying(80),
    beat bigint NOT NULL,
    crashes integer NOT NULL,
    losses integer NOT NULL,
    trouble_step integer,
    step integer NOT NULL,
    total_steps integer NOT NULL,
    tested double precision,
    analysed double precision,
    images_per_s double precision,
    elapsed_s double precision,
    eta_s double precision,
    checkpoint_step integer,
    top1 double precision,
    macs_per_s double precision,
    error_kind character varying(32),
    error_message text,
    result text,
    started text
);
CREATE SEQUENCE runs_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE runs_number_seq OWNED BY runs.number;
CREATE TABLE schema_version (
    "only" integer NOT NULL,
    version integer NOT NULL
);
CREATE TABLE snapshots (
    id bigint NOT NULL,
    run bigint NOT NULL,
    step integer NOT NULL,
    epoch double precision NOT NULL,
    kept boolean NOT NULL,
    gamma text NOT NULL,
    beta text NOT NULL,
    disabled text NOT NULL,
    detail bytea NOT NULL
);
CREATE SEQUENCE snapshots_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE snapshots_id_seq OWNED BY snapshots.id;
CREATE TABLE speeds (
    id bigint NOT NULL,
    run bigint NOT NULL,
    part integer NOT NULL,
    step integer NOT NULL,
    images_per_s double precision NOT NULL
);
CREATE SEQUENCE speeds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE speeds_id_seq OWNED BY speeds.id;
CREATE TABLE starts (
    digest character varying(64) NOT NULL,
    created_at double precision NOT NULL,
    size_bytes integer NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE studies (
    number bigint NOT NULL,
    id character varying(32) NOT NULL,
    name character varying(40) NOT NULL,
    scale character varying(16) NOT NULL,
    spec text NOT NULL,
    owner character varying(64) NOT NULL,
    created_at double precision NOT NULL,
    cancelled boolean NOT NULL
);
CREATE SEQUENCE studies_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE studies_number_seq OWNED BY studies.number;
CREATE TABLE study_members (
    study bigint NOT NULL,
    place integer NOT NULL,
    run bigint NOT NULL
);
CREATE TABLE usage (
    run bigint NOT NULL,
    memory_bytes bigint,
    peak_bytes bigint,
    gpu_bytes bigint,
    gpu_peak_bytes bigint
);
CREATE TABLE workers (
    name character varying(80) NOT NULL,
    host character varying(255) NOT NULL,
    boot character varying(120),
    pid bigint NOT NULL,
    born character varying(40),
    slots integer NOT NULL,
    started_at double precision NOT NULL,
    heard_at double precision NOT NULL
);
ALTER TABLE ONLY evaluations ALTER COLUMN number SET DEFAULT nextval('evaluations_number_seq'::regclass);
ALTER TABLE ONLY log ALTER COLUMN id SET DEFAULT nextval('log_id_seq'::regclass);
ALTER TABLE ONLY points ALTER COLUMN id SET DEFAULT nextval('points_id_seq'::regclass);
ALTER TABLE ONLY runs ALTER COLUMN number SET DEFAULT nextval('runs_number_seq'::regclass);
ALTER TABLE ONLY snapshots ALTER COLUMN id SET DEFAULT nextval('snapshots_id_seq'::regclass);
ALTER TABLE ONLY speeds ALTER COLUMN id SET DEFAULT nextval('speeds_id_seq'::regclass);
ALTER TABLE ONLY studies ALTER COLUMN number SET DEFAULT nextval('studies_number_seq'::regclass);
INSERT INTO capsules VALUES (1, '\x63617073756c65206f66207468652066696e69736865642072756e');
INSERT INTO capsules VALUES (5, '\x63617073756c65206f6620616e206578616d706c65');
INSERT INTO capsules VALUES (7, '\x63617073756c65206f6620616e206578616d706c65');
INSERT INTO evaluations VALUES (1, 'qqrMzcV72YdIpF', 1, '8faee6c0fdd497ae22413eb3b5ddb57b768bbcf1a4d951c5a512abac84d6872c', '{"edits":[],"look":null}', 'finished', 1795986828.487974, 1795986828.7475865, 1795986828.8420343, 1, 'worker-old', 0, 1, NULL, '{"top1": 0.5}');
INSERT INTO evaluations VALUES (2, '3MYToazJW1stvd', 1, 'e189f1f35d685848d2a41dbddfb17d756601d92ced4a36317dc73a2a379756f7', '{"edits":[],"look":{"index":0,"pixels":null,"layer":"stem.norm","first":0}}', 'queued', 1795986828.8994386, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL);
INSERT INTO examples VALUES ('first', 5, 'What first shows.', '2 CPU cores');
INSERT INTO examples VALUES ('second', NULL, 'What second shows.', '2 CPU cores');
INSERT INTO examples VALUES ('third', 7, 'What third shows.', '2 CPU cores');
INSERT INTO findings VALUES (1, '\x785ecd58e96ef3460c7c17fd768cbd8fbc4a1118fa12e5006c3990e4b66990772f4971ad5d290714a7e867c0595b5e313b9c1992f66bf5501f0e7575fd5add1e4fed505d6bed36d5a1a9dbea5a6cd5a6eaeff085099baa6d1eeae1e9cf863eb0f8beee76ff34dd112fe8b7cd186af7d4b64d970554466401e1be15117f35c30767bb125bb93ad46767c380eb0eb7af5f9aaeafaeff78addafa0069a9faa1396cdb6377a8e06843fd80a982578fc76eb83d416eefeb7ddf709eb20cc96f677c969f29d0caf4bc6d320c706eb91584434e4030dbab8048513cd649e9bf06a62e00f67b20514b8af0605f51a461d3d9dd7ab583f242718e74a1d812928c93d548cc0f8a6d4ad10f004b84ccca420170e84eef548582a97595695e367f8a29bdd41c4ae82bcd3993690e6addf71bc014e9426a12924c73ab91f8df06c907222b10bd2fb2821ae8f1ff0735379baafeb587d1e208330734d3e6b97fdae36bb185ee890346433308bc198ecf125fc64d75fb58b7d860410802db577e97806695dd27b0b1a75b43c487a0bff8c822c56d59456473e517a1c14b7968c8711119137a3e9adeba32a26eaedc22221c2e8fe86787f57821470b2195b2f33025e43962f8741622ce0394c04a5c2eabaf8b507a01a944e46d9104b87fcad8121c402bb6c36059905be094e55e0118a6d8f383c619bbb3c0057e5dee15c0ea39704131a84fcf4836b3c045367276dd8c596415ccd035fb533156e28562a27c3ef64fa35dc013f5fdd074bbfaee8e2ff1908974b7cd1e02d15478ec87fdcbee787fcf4eaaf77fd52f7d760125b8eb1febaec1ff8d6e83a78d06162983c7c507098bd2706c58a28bb068eb142c465a870b7d64b5c1db6cd401166735dee6257c6780c54bbc2d6889b78528dccd7bc327422e87cf0933f0fa0dccf88da5048d0722e74db061eedde0132a4cc4d38e7f29153ee281a50d7aca81960e13a3a345a00cde1adce8b4c68d097594b83178113e845b8ea4135cd0e51cee58cb3f6398b07dc9f102a4f3488ed4164fab40d9b878896c6a1d1190111ed964ac46e17e2705ee773ee07e6fc02080551adc1f82920bc838f1cd180694eb18a6f1a850f52a86df677a91101d1152229f7d306a40464a56b203081bb3c48a185d9184a12d668473260d86b4a34c924746b5384ff94ca2b18a8cc3da61c78084509852980fd35a0ed2ab94b4ccea7a252d93a8119560710989005863d2518293d4b8b4b0e204a58d85a73d9c6dd29f91990c45c07f0019a5c53b2a3b2c4a43e94edae422344ad407a8eb93524da0920482a504bba56e716a9ce916fae43addd2c475b96e937ebfd6714ec7821a19315782653e967b563b8c48c8136b5e07ac845cfeb8132407484fe582c9b39e2ae4e887d425d816da6114ee19da2333c923dc40d82ad612d9d44e4c845f9f8057360e3717f68fcf3b0d880ab966338d7d873de5a2c243266b6945d5991d36f6a4643409c3d3d4a12c06c1c28d0bb42bd206e9266aa1161e4c1229bf58acf2e052219779f07301605604780c172b32a38a406997ecd7a4036a0dd25236d9bd32b8dcc44ad07c90e460e8dd68691502599a9dad88856470ebe8dde8731d61989becae0cd99d5d9fb55b436dd9720550362f0496c4cdf520555a2e0ba04f140757070733d2b948b8686952e15aa16806e0aee69dce2a878fa4f5d4eab842731d7124612e27f0ad235515528ebe4993de6e560cc6f96f371b5536d5a93df5cdddeeb9eee0b74698f870b0531a925b0d4d3fec9abfebc3f31e67370d39a8fae6f6d8dee11ef8a9f6ed5f02e0ebc9');
INSERT INTO findings VALUES (5, '\x785ecd58e96ef3460c7c17fd768cbd8fbc4a1118fa12e5006c3990e4b66990772f4971ad5d290714a7e867c0595b5e313b9c1992f66bf5501f0e7575fd5add1e4fed505d6bed36d5a1a9dbea5a6cd5a6eaeff085099baa6d1eeae1e9cf863eb0f8beee76ff34dd112fe8b7cd186af7d4b64d970554466401e1be15117f35c30767bb125bb93ad46767c380eb0eb7af5f9aaeafaeff78addafa0069a9faa1396cdb6377a8e06843fd80a982578fc76eb83d416eefeb7ddf709eb20cc96f677c969f29d0caf4bc6d320c706eb91584434e4030dbab8048513cd649e9bf06a62e00f67b20514b8af0605f51a461d3d9dd7ab583f242718e74a1d812928c93d548cc0f8a6d4ad10f004b84ccca420170e84eef548582a97595695e367f8a29bdd41c4ae82bcd3993690e6addf71bc014e9426a12924c73ab91f8df06c907222b10bd2fb2821ae8f1ff0735379baafeb587d1e208330734d3e6b97fdae36bb185ee890346433308bc198ecf125fc64d75fb58b7d860410802db577e97806695dd27b0b1a75b43c487a0bff8c822c56d59456473e517a1c14b7968c8711119137a3e9adeba32a26eaedc22221c2e8fe86787f57821470b2195b2f33025e43962f8741622ce0394c04a5c2eabaf8b507a01a944e46d9104b87fcad8121c402bb6c36059905be094e55e0118a6d8f383c619bbb3c0057e5dee15c0ea39704131a84fcf4836b3c045367276dd8c596415ccd035fb533156e28562a27c3ef64fa35dc013f5fdd074bbfaee8e2ff1908974b7cd1e02d15478ec87fdcbee787fcf4eaaf77fd52f7d760125b8eb1febaec1ff8d6e83a78d06162983c7c507098bd2706c58a28bb068eb142c465a870b7d64b5c1db6cd401166735dee6257c6780c54bbc2d6889b78528dccd7bc327422e87cf0933f0fa0dccf88da5048d0722e74db061eedde0132a4cc4d38e7f29153ee281a50d7aca81960e13a3a345a00cde1adce8b4c68d097594b83178113e845b8ea4135cd0e51cee58cb3f6398b07dc9f102a4f3488ed4164fab40d9b878896c6a1d1190111ed964ac46e17e2705ee773ee07e6fc02080551adc1f82920bc838f1cd180694eb18a6f1a850f52a86df677a91101d1152229f7d306a40464a56b203081bb3c48a185d9184a12d668473260d86b4a34c924746b5384ff94ca2b18a8cc3da61c78084509852980fd35a0ed2ab94b4ccea7a252d93a8119560710989005863d2518293d4b8b4b0e204a58d85a73d9c6dd29f91990c45c07f0019a5c53b2a3b2c4a43e94edae422344ad407a8eb93524da0920482a504bba56e716a9ce916fae43addd2c475b96e937ebfd6714ec7821a19315782653e967b563b8c48c8136b5e07ac845cfeb8132407484fe582c9b39e2ae4e887d425d816da6114ee19da2333c923dc40d82ad612d9d44e4c845f9f8057360e3717f68fcf3b0d880ab966338d7d873de5a2c243266b6945d5991d36f6a4643409c3d3d4a12c06c1c28d0bb42bd206e9266aa1161e4c1229bf58acf2e052219779f07301605604780c172b32a38a406997ecd7a4036a0dd25236d9bd32b8dcc44ad07c90e460e8dd68691502599a9dad88856470ebe8dde8731d61989becae0cd99d5d9fb55b436dd9720550362f0496c4cdf520555a2e0ba04f140757070733d2b948b8686952e15aa16806e0aee69dce2a878fa4f5d4eab842731d7124612e27f0ad235515528ebe4993de6e560cc6f96f371b5536d5a93df5cdddeeb9eee0b74698f870b0531a925b0d4d3fec9abfebc3f31e67370d39a8fae6f6d8dee11ef8a9f6ed5f02e0ebc9');
INSERT INTO findings VALUES (7, '\x785ecd58e96ef3460c7c17fd768cbd8fbc4a1118fa12e5006c3990e4b66990772f4971ad5d290714a7e867c0595b5e313b9c1992f66bf5501f0e7575fd5add1e4fed505d6bed36d5a1a9dbea5a6cd5a6eaeff085099baa6d1eeae1e9cf863eb0f8beee76ff34dd112fe8b7cd186af7d4b64d970554466401e1be15117f35c30767bb125bb93ad46767c380eb0eb7af5f9aaeafaeff78addafa0069a9faa1396cdb6377a8e06843fd80a982578fc76eb83d416eefeb7ddf709eb20cc96f677c969f29d0caf4bc6d320c706eb91584434e4030dbab8048513cd649e9bf06a62e00f67b20514b8af0605f51a461d3d9dd7ab583f242718e74a1d812928c93d548cc0f8a6d4ad10f004b84ccca420170e84eef548582a97595695e367f8a29bdd41c4ae82bcd3993690e6addf71bc014e9426a12924c73ab91f8df06c907222b10bd2fb2821ae8f1ff0735379baafeb587d1e208330734d3e6b97fdae36bb185ee890346433308bc198ecf125fc64d75fb58b7d860410802db577e97806695dd27b0b1a75b43c487a0bff8c822c56d59456473e517a1c14b7968c8711119137a3e9adeba32a26eaedc22221c2e8fe86787f57821470b2195b2f33025e43962f8741622ce0394c04a5c2eabaf8b507a01a944e46d9104b87fcad8121c402bb6c36059905be094e55e0118a6d8f383c619bbb3c0057e5dee15c0ea39704131a84fcf4836b3c045367276dd8c596415ccd035fb533156e28562a27c3ef64fa35dc013f5fdd074bbfaee8e2ff1908974b7cd1e02d15478ec87fdcbee787fcf4eaaf77fd52f7d760125b8eb1febaec1ff8d6e83a78d06162983c7c507098bd2706c58a28bb068eb142c465a870b7d64b5c1db6cd401166735dee6257c6780c54bbc2d6889b78528dccd7bc327422e87cf0933f0fa0dccf88da5048d0722e74db061eedde0132a4cc4d38e7f29153ee281a50d7aca81960e13a3a345a00cde1adce8b4c68d097594b83178113e845b8ea4135cd0e51cee58cb3f6398b07dc9f102a4f3488ed4164fab40d9b878896c6a1d1190111ed964ac46e17e2705ee773ee07e6fc02080551adc1f82920bc838f1cd180694eb18a6f1a850f52a86df677a91101d1152229f7d306a40464a56b203081bb3c48a185d9184a12d668473260d86b4a34c924746b5384ff94ca2b18a8cc3da61c78084509852980fd35a0ed2ab94b4ccea7a252d93a8119560710989005863d2518293d4b8b4b0e204a58d85a73d9c6dd29f91990c45c07f0019a5c53b2a3b2c4a43e94edae422344ad407a8eb93524da0920482a504bba56e716a9ce916fae43addd2c475b96e937ebfd6714ec7821a19315782653e967b563b8c48c8136b5e07ac845cfeb8132407484fe582c9b39e2ae4e887d425d816da6114ee19da2333c923dc40d82ad612d9d44e4c845f9f8057360e3717f68fcf3b0d880ab966338d7d873de5a2c243266b6945d5991d36f6a4643409c3d3d4a12c06c1c28d0bb42bd206e9266aa1161e4c1229bf58acf2e052219779f07301605604780c172b32a38a406997ecd7a4036a0dd25236d9bd32b8dcc44ad07c90e460e8dd68691502599a9dad88856470ebe8dde8731d61989becae0cd99d5d9fb55b436dd9720550362f0496c4cdf520555a2e0ba04f140757070733d2b948b8686952e15aa16806e0aee69dce2a878fa4f5d4eab842731d7124612e27f0ad235515528ebe4993de6e560cc6f96f371b5536d5a93df5cdddeeb9eee0b74698f870b0531a925b0d4d3fec9abfebc3f31e67370d39a8fae6f6d8dee11ef8a9f6ed5f02e0ebc9');
INSERT INTO log VALUES (1, 1, 1795986827.6351557, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (2, 1, 1795986827.9059565, 1, 'claimed', 'Taken by worker worker-old.');
INSERT INTO log VALUES (3, 1, 1795986828.0559852, 1, 'started', 'Started from the beginning on cpu with 2 threads, torch 2: fused (compiled kernels), bf16.');
INSERT INTO log VALUES (4, 1, 1795986828.330013, 1, 'checkpoint', 'Checkpoint at step 2.');
INSERT INTO log VALUES (5, 1, 1795986828.4006612, 1, 'finished', 'Finished with 75.0% test accuracy.');
INSERT INTO log VALUES (6, 2, 1795986828.9507043, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (7, 2, 1795986829.1887836, 1, 'claimed', 'Taken by worker worker-old.');
INSERT INTO log VALUES (8, 2, 1795986829.2176564, 1, 'started', 'Started from the beginning on cpu with 2 threads, torch 2: fused (compiled kernels), bf16.');
INSERT INTO log VALUES (9, 2, 1795986829.2619746, 1, 'failed', 'The loss became infinite.');
INSERT INTO log VALUES (10, 3, 1795986829.3642304, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (11, 3, 1795986829.468392, 0, 'cancelled', 'Cancelled while it was waiting.');
INSERT INTO log VALUES (12, 4, 1795986829.5290217, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (13, 4, 1795986829.582327, 0, 'cancelled', 'Cancelled while it was waiting.');
INSERT INTO log VALUES (14, 5, 1000, 1, 'started', 'Trained on 2 CPU cores, torch 2, and shipped.');
INSERT INTO log VALUES (15, 5, 1100, 1, 'finished', 'Finished with 60.0% test accuracy.');
INSERT INTO log VALUES (18, 7, 1000, 1, 'started', 'Trained on 2 CPU cores, torch 2, and shipped.');
INSERT INTO log VALUES (19, 7, 1100, 1, 'finished', 'Finished with 60.0% test accuracy.');
INSERT INTO log VALUES (20, 8, 1795986830.872861, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (21, 8, 1795986830.9305809, 1, 'claimed', 'Taken by worker worker-old.');
INSERT INTO log VALUES (22, 8, 1795986830.9420633, 1, 'started', 'Started from the beginning on cpu with 2 threads, torch 2: fused (compiled kernels), bf16.');
INSERT INTO log VALUES (23, 9, 1795986831.1423345, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (24, 10, 1795986831.2259479, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (25, 11, 1795986831.2846932, 0, 'submitted', 'Submitted.');
INSERT INTO log VALUES (26, 12, 1795986831.3565068, 0, 'submitted', 'Submitted by a study.');
INSERT INTO log VALUES (27, 13, 1795986831.3570614, 0, 'submitted', 'Submitted by a study.');
INSERT INTO machines VALUES ('worker-old', 'AMD EPYC', 2, 0.5, 8589934592, 107374182400, 53687091200);
INSERT INTO places VALUES (9, 11);
INSERT INTO places VALUES (11, 9);
INSERT INTO points VALUES (1, 1, 0, 0, 'train', 2, 0, NULL, 0.1);
INSERT INTO points VALUES (2, 1, 1, 0.08333333333333333, 'train', 1, 0.01, NULL, 0.1);
INSERT INTO points VALUES (3, 1, 2, 0.16666666666666666, 'train', 0.6666666666666666, 0.02, NULL, 0.1);
INSERT INTO points VALUES (4, 1, 3, 0.25, 'train', 0.5, 0.03, NULL, 0.1);
INSERT INTO points VALUES (5, 1, 3, 0.25, 'test', 1, 0.5, NULL, NULL);
INSERT INTO points VALUES (6, 5, 0, 0, 'train', 2, 0, NULL, 0.1);
INSERT INTO points VALUES (7, 5, 1, 0.08333333333333333, 'train', 1, 0.01, NULL, 0.1);
INSERT INTO points VALUES (10, 7, 0, 0, 'train', 2, 0, NULL, 0.1);
INSERT INTO points VALUES (11, 7, 1, 0.08333333333333333, 'train', 1, 0.01, NULL, 0.1);
INSERT INTO points VALUES (12, 8, 0, 0, 'train', 2, 0, NULL, 0.1);
INSERT INTO points VALUES (13, 8, 1, 0.08333333333333333, 'train', 1, 0.01, NULL, 0.1);
INSERT INTO points VALUES (14, 8, 2, 0.16666666666666666, 'train', 0.6666666666666666, 0.02, NULL, 0.1);
INSERT INTO removals VALUES (4, 1795986829.7839925);
INSERT INTO runs VALUES (1, 'M7slNmdFQ8DWBQ', '5e22f4b1924e0df211e794a320fcd6d0391e7cb3bab6975a17f9ffae49d8b2c6', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"γ alone"}', '56604723e12687c418d8669695c8ca856f75fe3f3fcfaebf1db26a591752df13', 0, 'γ alone', 'resnet-8', 'batchnorm', 'digits', 2, 0, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'finished', false, 1795986827.5765615, 1795986827.854163, 1795986828.3786027, 1, 'worker-old', 2, 0, 0, NULL, 24, 24, NULL, NULL, NULL, 2, NULL, 2, 0.75, 2593786432, NULL, NULL, '{"event":"finished","step":24,"epoch":2.0,"top1":0.75,"loss":0.3,"train_top1":0.75,"train_loss":0.3,"top5":null,"trainable":672,"disabled":0.1,"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","seconds":2.0}', '{"event":"started","spec_digest":"56604723e12687c418d8669695c8ca856f75fe3f3fcfaebf1db26a591752df13","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO runs VALUES (2, '2FD8HOUykJfVaK', '915ff264233b562fc9d3ad12f3901ded47c9f2c91527307ca2270db26d2b0eeb', '{"architecture":"resnet-8","policy":"all","dataset":"digits","epochs":2,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"failed"}', '5c4b4af180e9814cadca90732ab573306f0bc850b011554c23fcf525b7b0998c', 0, 'failed', 'resnet-8', 'all', 'digits', 2, 0, '{"total":77754,"trainable":77754,"batchnorm":672,"output":650,"shortcut":2560}', 'failed', false, 1795986828.9490056, 1795986829.1184256, 1795986829.2602115, 1, 'worker-old', 1, 0, 0, NULL, 0, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'diverged', 'The loss became infinite.', NULL, '{"event":"started","spec_digest":"5c4b4af180e9814cadca90732ab573306f0bc850b011554c23fcf525b7b0998c","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":77754,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO runs VALUES (3, 'FjrfxhkVvg4mjq', '735e05b503d118f263b5cf7765d4ee5fc8ebc93181cc2c96dcb26e6965f3e50a', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":1,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":3615706188,"order":2734124652,"augmentation":2483629328,"choice":57680236},"start":null,"contents":null,"name":"cancelled"}', 'ca8965974e52d4c65e72857890067f1ec22899692ded54c1fbceff51e8601d91', 0, 'cancelled', 'resnet-8', 'batchnorm', 'digits', 2, 1, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'cancelled', true, 1795986829.3145432, NULL, 1795986829.4683776, 0, NULL, 0, 0, 0, NULL, 0, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO runs VALUES (4, 'dns8XmuNqZlbCD', '353ee34ca89d0024df2b154c695cddc378007e20b5687e3d8f7a47b1dfc11c6e', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":2,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":3391195593,"order":4237702621,"augmentation":2027602055,"choice":2552005119},"start":null,"contents":null,"name":"removed"}', '85a571cd4399834e46447586eafa04b5071d45be673d9e7fbfce7567417ca224', 0, 'removed', 'resnet-8', 'batchnorm', 'digits', 2, 2, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'cancelled', true, 1795986829.505623, NULL, 1795986829.5823176, 0, NULL, 0, 0, 0, NULL, 0, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO runs VALUES (5, 'ZA0R6asiK64gjX', '', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":3,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":2262969684,"order":462014338,"augmentation":1239951550,"choice":2527086788},"start":null,"contents":null,"name":"first"}', '72705af9584392a5cf184349a2ff2ac8ba27e6a88b1f6bcd9927c0458bed3cf3', 0, 'first', 'resnet-8', 'batchnorm', 'digits', 2, 3, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'finished', false, 1000, 1000, 1100, 1, NULL, 0, 0, 0, NULL, 24, 24, NULL, NULL, NULL, 2, NULL, NULL, 0.6, NULL, NULL, NULL, '{"event":"finished","step":24,"epoch":2.0,"top1":0.6,"loss":0.3,"train_top1":0.6,"train_loss":0.3,"top5":null,"trainable":672,"disabled":0.1,"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","seconds":2.0}', '{"event":"started","spec_digest":"72705af9584392a5cf184349a2ff2ac8ba27e6a88b1f6bcd9927c0458bed3cf3","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO runs VALUES (7, 'ygxLtcHUTWKIyW', '', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":5,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":2887371144,"order":612417238,"augmentation":881668213,"choice":1434225263},"start":null,"contents":null,"name":"third"}', '28ab8fd4832539cb44632808288e0410f77fa485791514a76b81a42a6ee73463', 0, 'third', 'resnet-8', 'batchnorm', 'digits', 2, 5, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'finished', false, 1000, 1000, 1100, 1, NULL, 0, 0, 0, NULL, 24, 24, NULL, NULL, NULL, 2, NULL, NULL, 0.6, NULL, NULL, NULL, '{"event":"finished","step":24,"epoch":2.0,"top1":0.6,"loss":0.3,"train_top1":0.6,"train_loss":0.3,"top5":null,"trainable":672,"disabled":0.1,"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","seconds":2.0}', '{"event":"started","spec_digest":"28ab8fd4832539cb44632808288e0410f77fa485791514a76b81a42a6ee73463","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO runs VALUES (8, '3GI6xMQuRSqWQv', '498b70cc2040e5f1168f427ff99c24543f88925fc23b39b38c3a64c5304c3030', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":6,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":765288006,"order":2798671927,"augmentation":2850316862,"choice":41355156},"start":null,"contents":null,"name":"running"}', 'a4a659c7114d6800d986a48e4667a3abdc49cadf0060444c47de8df7c05abd3f', 0, 'running', 'resnet-8', 'batchnorm', 'digits', 2, 6, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'running', false, 1795986830.8500063, 1795986830.9294853, NULL, 1, 'worker-old', 2, 0, 0, NULL, 2, 24, NULL, NULL, 99.5, 1, 9, NULL, NULL, NULL, NULL, NULL, NULL, '{"event":"started","spec_digest":"a4a659c7114d6800d986a48e4667a3abdc49cadf0060444c47de8df7c05abd3f","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO runs VALUES (9, 'x1wOEudX4275Vm', '1707b217c8bcfe87112e71ff399ccfc65db089176cf02150cc945f06d40cba9d', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":10,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":932145055,"order":4084340280,"augmentation":395343668,"choice":2875207505},"start":null,"contents":null,"name":"waiting 0"}', '192efcb715358d61c9ed434792f2a00e27ddb608b8f7cc7375f989cd3ff08f1b', 0, 'waiting 0', 'resnet-8', 'batchnorm', 'digits', 2, 10, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'queued', false, 1795986831.1402276, NULL, NULL, 0, NULL, 0, 0, 0, NULL, 0, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO runs VALUES (10, 'cDODxzimQnALse', 'ab37c4a1764dad503b95796dad3527b002009b96e7c90c703d9c506c10be0148', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":11,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":1228439450,"order":455290096,"augmentation":3801459515,"choice":2680723478},"start":null,"contents":null,"name":"waiting 1"}', 'ecd4ade285b572afde531e8cfbd76ab0678b4e0e48f12aeb7467ffd9ba634293', 0, 'waiting 1', 'resnet-8', 'batchnorm', 'digits', 2, 11, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'queued', false, 1795986831.2242765, NULL, NULL, 0, NULL, 0, 0, 0, NULL, 0, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO runs VALUES (11, 'DInLorK4xnFpFM', 'd4f64ddb10dec49c313e72793c9463d697a28bef468b79ed5900e152eaacbf6e', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":12,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":3546536510,"order":1747504614,"augmentation":546590413,"choice":3917552706},"start":null,"contents":null,"name":"waiting 2"}', '9ef83bf76d0d20f12bf86fb3ace1e0b7accba95e419f74b79d3e82ce5b6929b0', 0, 'waiting 2', 'resnet-8', 'batchnorm', 'digits', 2, 12, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'queued', false, 1795986831.2734416, NULL, NULL, 0, NULL, 0, 0, 0, NULL, 0, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO runs VALUES (12, 'rqOF0uZbxQrdPY', '5713901897a3cfacd7121134a494851bbc75dca903c9df3fd89be7ed80f2e43c', '{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":1,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"random-k: batchnorm, replicate 0"}', '203131386d03463cf21e7aec05e2ad6c3b3414ec08a399f6b0d44a6840972c99', 1, 'random-k: batchnorm, replicate 0', 'resnet-8', 'batchnorm', 'digits', 1, 0, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'queued', false, 1795986831.3284655, NULL, NULL, 0, NULL, 0, 0, 0, NULL, 0, 12, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO runs VALUES (13, '3inlLUrD2ZmTDr', '5713901897a3cfacd7121134a494851bbc75dca903c9df3fd89be7ed80f2e43c', '{"architecture":"resnet-8","policy":"random-2","dataset":"digits","epochs":1,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"random-k: random-2, replicate 0"}', '85505f34d9e2c5a259059d5c9d1e689f3475badf45fb51210e6b5e041346ba7c', 1, 'random-k: random-2, replicate 0', 'resnet-8', 'random-2', 'digits', 1, 0, '{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}', 'queued', false, 1795986831.3285575, NULL, NULL, 0, NULL, 0, 0, 0, NULL, 0, 12, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO schema_version VALUES (1, 3);
INSERT INTO snapshots VALUES (1, 1, 0, 0, true, '[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0]', '\x785eed954d0b83300c86ff4bce41dcf7e85f911eaa862968eb68dc45fcefabee34f67199b0b0955008f4f2f0923c19802e641914786b3a5f390604cfd4814a11a8734515ba24f427d3b606d40085eb2d7b505996a280d2183856df279939d64238364238b64238764238f642380e42388e023834c2b93796eb866e564bc2b43c7fd38effd5af1e1172e2c5bdbf80af67df7e5a91e33ec19847cce3dd4efdd27c44efbfbe7393f7cbda9bbca132dcc48791d0e315d9a656b0');
INSERT INTO snapshots VALUES (2, 1, 2, 0.16666666666666666, false, '[0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0]', '\x785eed95cb0a83301045ff65d683a86d6dc9af481651872a686249ec46fcf72a2d429f9b0a0e6d12b2cae6709939b7073a937620c06ad5dad23840b08e5a103102b5262f418441943c1c84a36a1a05a287dc74da5910691a22832bf1c611ad4b3373c44c38364c38b64c38764c3812261c7b261c87953924c2a953da55355dad168c93f2fa4d3bfe57bf7240c8c82deefd055c3dfbf69b0ef21cf7e9f93c7c1e9ff6e997e6c37bff7dcf4dde2f2aabb29a8ab1139f46420e17a0ea5a13');
INSERT INTO snapshots VALUES (3, 5, 0, 0, true, '[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0]', '\x785eed954d0b83300c86ff4bce41dcf7e85f911eaa862968eb68dc45fcefabee34f67199b0b0955008f4f2f0923c19802e641914786b3a5f390604cfd4814a11a8734515ba24f427d3b606d40085eb2d7b505996a280d2183856df279939d64238364238b64238764238f642380e42388e023834c2b93796eb866e564bc2b43c7fd38effd5af1e1172e2c5bdbf80af67df7e5a91e33ec19847cce3dd4efdd27c44efbfbe7393f7cbda9bbca132dcc48791d0e315d9a656b0');
INSERT INTO snapshots VALUES (5, 7, 0, 0, true, '[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0]', '\x785eed954d0b83300c86ff4bce41dcf7e85f911eaa862968eb68dc45fcefabee34f67199b0b0955008f4f2f0923c19802e641914786b3a5f390604cfd4814a11a8734515ba24f427d3b606d40085eb2d7b505996a280d2183856df279939d64238364238b64238764238f642380e42388e023834c2b93796eb866e564bc2b43c7fd38effd5af1e1172e2c5bdbf80af67df7e5a91e33ec19847cce3dd4efdd27c44efbfbe7393f7cbda9bbca132dcc48791d0e315d9a656b0');
INSERT INTO snapshots VALUES (6, 8, 0, 0, true, '[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0]', '\x785eed954d0b83300c86ff4bce41dcf7e85f911eaa862968eb68dc45fcefabee34f67199b0b0955008f4f2f0923c19802e641914786b3a5f390604cfd4814a11a8734515ba24f427d3b606d40085eb2d7b505996a280d2183856df279939d64238364238b64238764238f642380e42388e023834c2b93796eb866e564bc2b43c7fd38effd5af1e1172e2c5bdbf80af67df7e5a91e33ec19847cce3dd4efdd27c44efbfbe7393f7cbda9bbca132dcc48791d0e315d9a656b0');
INSERT INTO snapshots VALUES (7, 8, 1, 0.08333333333333333, false, '[0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[0, 0, 0, 0, 0, 0, 0, 0, 0]', '\x785eed95cb0a83301045ff65d683c4da87e457248ba84315345a12bb11ffbddaba913e36151cda246495cde132736e0f7425e3408235bab545e300c13a6a418608d43659015204228e9607e1aceb5a83ec216b3ae32cc82411c8e02abc73845bb3cc1c3b261c11138e3d138e03138e23138e13138e78730e8570e9b47165450fab05e3acbc7ed38effd5af1a105272ab7b7f055bcfbefdae813cc7323f9f87cfe3d346fdd27c78efbfefb9c9fb7969755a513e76e2d348a8e10680a159e6');
INSERT INTO speeds VALUES (1, 1, 62, 3, 1234.5);
INSERT INTO speeds VALUES (2, 5, 20, 1, 100);
INSERT INTO speeds VALUES (4, 7, 20, 1, 100);
INSERT INTO speeds VALUES (5, 8, 41, 2, 99.5);
INSERT INTO starts VALUES ('4b4ab7934c3c61f8df3d153bc08a2a9cf543ecd493bcd13eeb4bbf8180cc75e4', 1795986828.4360397, 20, '\x612066696c6520746f2073746172742066726f6d');
INSERT INTO studies VALUES (1, '2L0WYkQLxQHsDL', 'random-k', 'minutes', '{"study":"random-k","scale":"minutes","base":{"architecture":"resnet-8","dataset":"digits","epochs":1},"axes":[{"field":"policy","values":["batchnorm","random-2"]}],"replicates":1}', '5713901897a3cfacd7121134a494851bbc75dca903c9df3fd89be7ed80f2e43c', 1795986831.3285944, false);
INSERT INTO study_members VALUES (1, 0, 12);
INSERT INTO study_members VALUES (1, 1, 13);
INSERT INTO usage VALUES (1, 314572800, 325058560, NULL, NULL);
INSERT INTO usage VALUES (8, 1073741824, 2147483648, 3221225472, 4294967296);
INSERT INTO workers VALUES ('worker-old', 'host-old', 'boot-old', 4711, '42', 2, 1795986827.1930404, 1795986827.3829997);
INSERT INTO workers VALUES ('worker-older', 'host-older', NULL, 4712, NULL, 1, 1795986827.4884756, 1795986827.4900198);
SELECT pg_catalog.setval('evaluations_number_seq', 2, true);
SELECT pg_catalog.setval('log_id_seq', 27, true);
SELECT pg_catalog.setval('points_id_seq', 14, true);
SELECT pg_catalog.setval('runs_number_seq', 13, true);
SELECT pg_catalog.setval('snapshots_id_seq', 7, true);
SELECT pg_catalog.setval('speeds_id_seq', 5, true);
SELECT pg_catalog.setval('studies_number_seq', 1, true);
ALTER TABLE ONLY capsules
    ADD CONSTRAINT capsules_pkey PRIMARY KEY (run);
ALTER TABLE ONLY evaluations
    ADD CONSTRAINT evaluations_id_key UNIQUE (id);
ALTER TABLE ONLY evaluations
    ADD CONSTRAINT evaluations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY examples
    ADD CONSTRAINT examples_pkey PRIMARY KEY (name);
ALTER TABLE ONLY examples
    ADD CONSTRAINT examples_run_key UNIQUE (run);
ALTER TABLE ONLY findings
    ADD CONSTRAINT findings_pkey PRIMARY KEY (run);
ALTER TABLE ONLY log
    ADD CONSTRAINT log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY machines
    ADD CONSTRAINT machines_pkey PRIMARY KEY (worker);
ALTER TABLE ONLY places
    ADD CONSTRAINT places_pkey PRIMARY KEY (run);
ALTER TABLE ONLY points
    ADD CONSTRAINT points_pkey PRIMARY KEY (id);
ALTER TABLE ONLY removals
    ADD CONSTRAINT removals_pkey PRIMARY KEY (run);
ALTER TABLE ONLY runs
    ADD CONSTRAINT runs_id_key UNIQUE (id);
ALTER TABLE ONLY runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (number);
ALTER TABLE ONLY schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY ("only");
ALTER TABLE ONLY snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (id);
ALTER TABLE ONLY speeds
    ADD CONSTRAINT speeds_pkey PRIMARY KEY (id);
ALTER TABLE ONLY starts
    ADD CONSTRAINT starts_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY studies
    ADD CONSTRAINT studies_id_key UNIQUE (id);
ALTER TABLE ONLY studies
    ADD CONSTRAINT studies_pkey PRIMARY KEY (number);
ALTER TABLE ONLY study_members
    ADD CONSTRAINT study_members_pkey PRIMARY KEY (study, place);
ALTER TABLE ONLY usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (run);
ALTER TABLE ONLY workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (name);
CREATE INDEX evaluations_created ON evaluations USING btree (created_at);
CREATE INDEX evaluations_queue ON evaluations USING btree (state, number);
CREATE INDEX evaluations_same ON evaluations USING btree (run, digest);
CREATE INDEX log_cursor ON log USING btree (run, id);
CREATE INDEX members_run ON study_members USING btree (run);
CREATE INDEX points_cursor ON points USING btree (run, id);
CREATE UNIQUE INDEX points_once ON points USING btree (run, split, step);
CREATE INDEX runs_architecture ON runs USING btree (architecture, created_at);
CREATE INDEX runs_created ON runs USING btree (created_at);
CREATE INDEX runs_dataset ON runs USING btree (dataset, created_at);
CREATE INDEX runs_digest ON runs USING btree (digest);
CREATE INDEX runs_finished ON runs USING btree (state, finished_at);
CREATE INDEX runs_policy ON runs USING btree (policy, created_at);
CREATE INDEX runs_queue ON runs USING btree (state, priority, number);
CREATE INDEX snapshots_cursor ON snapshots USING btree (run, id);
CREATE UNIQUE INDEX snapshots_once ON snapshots USING btree (run, step);
CREATE INDEX speeds_cursor ON speeds USING btree (run, id);
CREATE UNIQUE INDEX speeds_once ON speeds USING btree (run, part);
CREATE INDEX studies_name ON studies USING btree (name, scale, number);
ALTER TABLE ONLY capsules
    ADD CONSTRAINT capsules_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY evaluations
    ADD CONSTRAINT evaluations_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY examples
    ADD CONSTRAINT examples_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE SET NULL;
ALTER TABLE ONLY findings
    ADD CONSTRAINT findings_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY log
    ADD CONSTRAINT log_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY machines
    ADD CONSTRAINT machines_worker_fkey FOREIGN KEY (worker) REFERENCES workers(name) ON DELETE CASCADE;
ALTER TABLE ONLY places
    ADD CONSTRAINT places_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY points
    ADD CONSTRAINT points_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY removals
    ADD CONSTRAINT removals_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY snapshots
    ADD CONSTRAINT snapshots_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY speeds
    ADD CONSTRAINT speeds_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY study_members
    ADD CONSTRAINT study_members_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
ALTER TABLE ONLY study_members
    ADD CONSTRAINT study_members_study_fkey FOREIGN KEY (study) REFERENCES studies(number) ON DELETE CASCADE;
ALTER TABLE ONLY usage
    ADD CONSTRAINT usage_run_fkey FOREIGN KEY (run) REFERENCES runs(number) ON DELETE CASCADE;
