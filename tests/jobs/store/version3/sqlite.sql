BEGIN TRANSACTION;
CREATE TABLE capsules (
	run INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (run), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "capsules" VALUES(1,X'63617073756C65206F66207468652066696E69736865642072756E');
INSERT INTO "capsules" VALUES(5,X'63617073756C65206F6620616E206578616D706C65');
INSERT INTO "capsules" VALUES(7,X'63617073756C65206F6620616E206578616D706C65');
CREATE TABLE evaluations (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(32) NOT NULL, 
	run INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	request TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	started_at DOUBLE, 
	finished_at DOUBLE, 
	attempt INTEGER NOT NULL, 
	worker VARCHAR(80), 
	beat INTEGER NOT NULL, 
	share DOUBLE, 
	error TEXT, 
	result TEXT, 
	UNIQUE (id), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "evaluations" VALUES(1,'qqrMzcV72YdIpF',1,'8faee6c0fdd497ae22413eb3b5ddb57b768bbcf1a4d951c5a512abac84d6872c','{"edits":[],"look":null}','finished',1.7959868284879739284e+09,1.79598682874758648871e+09,1.7959868288420343399e+09,1,'worker-old',0,1.0,NULL,'{"top1": 0.5}');
INSERT INTO "evaluations" VALUES(2,'3MYToazJW1stvd',1,'e189f1f35d685848d2a41dbddfb17d756601d92ced4a36317dc73a2a379756f7','{"edits":[],"look":{"index":0,"pixels":null,"layer":"stem.norm","first":0}}','queued',1.79598682889943861958e+09,NULL,NULL,0,NULL,0,NULL,NULL,NULL);
CREATE TABLE examples (
	name VARCHAR(60) NOT NULL, 
	run INTEGER, 
	shows TEXT NOT NULL, 
	machine TEXT NOT NULL, 
	PRIMARY KEY (name), 
	UNIQUE (run), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE SET NULL
);
INSERT INTO "examples" VALUES('first',5,'What first shows.','2 CPU cores');
INSERT INTO "examples" VALUES('second',NULL,'What second shows.','2 CPU cores');
INSERT INTO "examples" VALUES('third',7,'What third shows.','2 CPU cores');
CREATE TABLE findings (
	run INTEGER NOT NULL, 
	detail BLOB NOT NULL, 
	PRIMARY KEY (run), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "findings" VALUES(1,X'785ECD58E96EF3460C7C17FD768CBD8FBC4A1118FA12E5006C3990E4B66990772F4971AD5D290714A7E867C0595B5E313B9C1992F66BF5501F0E7575FD5ADD1E4FED505D6BED36D5A1A9DBEA5A6CD5A6EAEFF085099BAA6D1EEAE1E9CF863EB0F8BEEE76FF34DD112FE8B7CD186AF7D4B64D970554466401E1BE15117F35C30767BB125BB93AD46767C380EB0EB7AF5F9AAEAFAEFF78ADDAFA0069A9FAA1396CDB6377A8E06843FD80A982578FC76EB83D416EEFEB7DDF709EB20CC96F677C969F29D0CAF4BC6D320C706EB91584434E4030DBAB8048513CD649E9BF06A62E00F67B20514B8AF0605F51A461D3D9DD7AB583F242718E74A1D812928C93D548CC0F8A6D4AD10F004B84CCCA420170E84EEF548582A97595695E367F8A29BDD41C4AE82BCD3993690E6ADDF71BC014E9426A12924C73AB91F8DF06C907222B10BD2FB2821AE8F1FF0735379BAAFEB587D1E208330734D3E6B97FDAE36BB185EE890346433308BC198ECF125FC64D75FB58B7D860410802DB577E97806695DD27B0B1A75B43C487A0BFF8C822C56D59456473E517A1C14B7968C8711119137A3E9ADEBA32A26EAEDC22221C2E8FE86787F57821470B2195B2F33025E43962F8741622CE0394C04A5C2EABAF8B507A01A944E46D9104B87FCAD8121C402BB6C36059905BE094E55E0118A6D8F383C619BBB3C0057E5DEE15C0EA39704131A84FCF4836B3C045367276DD8C596415CCD035FB533156E28562A27C3EF64FA35DC013F5FDD074BBFAEE8E2FF1908974B7CD1E02D15478EC87FDCBEE787FCF4EAAF77FD52F7D760125B8EB1FEBAEC1FF8D6E83A78D06162983C7C507098BD2706C58A28BB068EB142C465A870B7D64B5C1DB6CD401166735DEE6257C6780C54BBC2D6889B78528DCCD7BC327422E87CF0933F0FA0DCCF88DA5048D0722E74DB061EEDDE0132A4CC4D38E7F29153EE281A50D7ACA81960E13A3A345A00CDE1ADCE8B4C68D097594B83178113E845B8EA4135CD0E51CEE58CB3F6398B07DC9F102A4F3488ED4164FAB40D9B878896C6A1D1190111ED964AC46E17E2705EE773EE07E6FC02080551ADC1F82920BC838F1CD180694EB18A6F1A850F52A86DF677A91101D1152229F7D306A40464A56B203081BB3C48A185D9184A12D668473260D86B4A34C924746B5384FF94CA2B18A8CC3DA61C78084509852980FD35A0ED2AB94B4CCEA7A252D93A8119560710989005863D2518293D4B8B4B0E204A58D85A73D9C6DD29F91990C45C07F0019A5C53B2A3B2C4A43E94EDAE422344AD407A8EB93524DA0920482A504BBA56E716A9CE916FAE43ADDD2C475B96E937EBFD6714EC7821A19315782653E967B563B8C48C8136B5E07AC845CFEB8132407484FE582C9B39E2AE4E887D425D816DA6114EE19DA2333C923DC40D82AD612D9D44E4C845F9F8057360E3717F68FCF3B0D880AB966338D7D873DE5A2C243266B6945D5991D36F6A4643409C3D3D4A12C06C1C28D0BB42BD206E9266AA1161E4C1229BF58ACF2E052219779F07301605604780C172B32A38A406997ECD7A4036A0DD25236D9BD32B8DCC44AD07C90E460E8DD68691502599A9DAD88856470EBE8DDE8731D61989BECAE0CD99D5D9FB55B436DD9720550362F0496C4CDF520555A2E0BA04F140757070733D2B948B8686952E15AA16806E0AEE69DCE2A878FA4F5D4EAB842731D7124612E27F0AD235515528EBE4993DE6E560CC6F96F371B5536D5A93DF5CDDDEEB9EEE0B74698F870B0531A925B0D4D3FEC9ABFEBC3F31E67370D39A8FAE6F6D8DEE11EF8A9F6ED5F02E0EBC9');
INSERT INTO "findings" VALUES(5,X'785ECD58E96EF3460C7C17FD768CBD8FBC4A1118FA12E5006C3990E4B66990772F4971AD5D290714A7E867C0595B5E313B9C1992F66BF5501F0E7575FD5ADD1E4FED505D6BED36D5A1A9DBEA5A6CD5A6EAEFF085099BAA6D1EEAE1E9CF863EB0F8BEEE76FF34DD112FE8B7CD186AF7D4B64D970554466401E1BE15117F35C30767BB125BB93AD46767C380EB0EB7AF5F9AAEAFAEFF78ADDAFA0069A9FAA1396CDB6377A8E06843FD80A982578FC76EB83D416EEFEB7DDF709EB20CC96F677C969F29D0CAF4BC6D320C706EB91584434E4030DBAB8048513CD649E9BF06A62E00F67B20514B8AF0605F51A461D3D9DD7AB583F242718E74A1D812928C93D548CC0F8A6D4AD10F004B84CCCA420170E84EEF548582A97595695E367F8A29BDD41C4AE82BCD3993690E6ADDF71BC014E9426A12924C73AB91F8DF06C907222B10BD2FB2821AE8F1FF0735379BAAFEB587D1E208330734D3E6B97FDAE36BB185EE890346433308BC198ECF125FC64D75FB58B7D860410802DB577E97806695DD27B0B1A75B43C487A0BFF8C822C56D59456473E517A1C14B7968C8711119137A3E9ADEBA32A26EAEDC22221C2E8FE86787F57821470B2195B2F33025E43962F8741622CE0394C04A5C2EABAF8B507A01A944E46D9104B87FCAD8121C402BB6C36059905BE094E55E0118A6D8F383C619BBB3C0057E5DEE15C0EA39704131A84FCF4836B3C045367276DD8C596415CCD035FB533156E28562A27C3EF64FA35DC013F5FDD074BBFAEE8E2FF1908974B7CD1E02D15478EC87FDCBEE787FCF4EAAF77FD52F7D760125B8EB1FEBAEC1FF8D6E83A78D06162983C7C507098BD2706C58A28BB068EB142C465A870B7D64B5C1DB6CD401166735DEE6257C6780C54BBC2D6889B78528DCCD7BC327422E87CF0933F0FA0DCCF88DA5048D0722E74DB061EEDDE0132A4CC4D38E7F29153EE281A50D7ACA81960E13A3A345A00CDE1ADCE8B4C68D097594B83178113E845B8EA4135CD0E51CEE58CB3F6398B07DC9F102A4F3488ED4164FAB40D9B878896C6A1D1190111ED964AC46E17E2705EE773EE07E6FC02080551ADC1F82920BC838F1CD180694EB18A6F1A850F52A86DF677A91101D1152229F7D306A40464A56B203081BB3C48A185D9184A12D668473260D86B4A34C924746B5384FF94CA2B18A8CC3DA61C78084509852980FD35A0ED2AB94B4CCEA7A252D93A8119560710989005863D2518293D4B8B4B0E204A58D85A73D9C6DD29F91990C45C07F0019A5C53B2A3B2C4A43E94EDAE422344AD407A8EB93524DA0920482A504BBA56E716A9CE916FAE43ADDD2C475B96E937EBFD6714EC7821A19315782653E967B563B8C48C8136B5E07AC845CFEB8132407484FE582C9B39E2AE4E887D425D816DA6114EE19DA2333C923DC40D82AD612D9D44E4C845F9F8057360E3717F68FCF3B0D880AB966338D7D873DE5A2C243266B6945D5991D36F6A4643409C3D3D4A12C06C1C28D0BB42BD206E9266AA1161E4C1229BF58ACF2E052219779F07301605604780C172B32A38A406997ECD7A4036A0DD25236D9BD32B8DCC44AD07C90E460E8DD68691502599A9DAD88856470EBE8DDE8731D61989BECAE0CD99D5D9FB55B436DD9720550362F0496C4CDF520555A2E0BA04F140757070733D2B948B8686952E15AA16806E0AEE69DCE2A878FA4F5D4EAB842731D7124612E27F0AD235515528EBE4993DE6E560CC6F96F371B5536D5A93DF5CDDDEEB9EEE0B74698F870B0531A925B0D4D3FEC9ABFEBC3F31E67370D39A8FAE6F6D8DEE11EF8A9F6ED5F02E0EBC9');
INSERT INTO "findings" VALUES(7,X'785ECD58E96EF3460C7C17FD768CBD8FBC4A1118FA12E5006C3990E4B66990772F4971AD5D290714A7E867C0595B5E313B9C1992F66BF5501F0E7575FD5ADD1E4FED505D6BED36D5A1A9DBEA5A6CD5A6EAEFF085099BAA6D1EEAE1E9CF863EB0F8BEEE76FF34DD112FE8B7CD186AF7D4B64D970554466401E1BE15117F35C30767BB125BB93AD46767C380EB0EB7AF5F9AAEAFAEFF78ADDAFA0069A9FAA1396CDB6377A8E06843FD80A982578FC76EB83D416EEFEB7DDF709EB20CC96F677C969F29D0CAF4BC6D320C706EB91584434E4030DBAB8048513CD649E9BF06A62E00F67B20514B8AF0605F51A461D3D9DD7AB583F242718E74A1D812928C93D548CC0F8A6D4AD10F004B84CCCA420170E84EEF548582A97595695E367F8A29BDD41C4AE82BCD3993690E6ADDF71BC014E9426A12924C73AB91F8DF06C907222B10BD2FB2821AE8F1FF0735379BAAFEB587D1E208330734D3E6B97FDAE36BB185EE890346433308BC198ECF125FC64D75FB58B7D860410802DB577E97806695DD27B0B1A75B43C487A0BFF8C822C56D59456473E517A1C14B7968C8711119137A3E9ADEBA32A26EAEDC22221C2E8FE86787F57821470B2195B2F33025E43962F8741622CE0394C04A5C2EABAF8B507A01A944E46D9104B87FCAD8121C402BB6C36059905BE094E55E0118A6D8F383C619BBB3C0057E5DEE15C0EA39704131A84FCF4836B3C045367276DD8C596415CCD035FB533156E28562A27C3EF64FA35DC013F5FDD074BBFAEE8E2FF1908974B7CD1E02D15478EC87FDCBEE787FCF4EAAF77FD52F7D760125B8EB1FEBAEC1FF8D6E83A78D06162983C7C507098BD2706C58A28BB068EB142C465A870B7D64B5C1DB6CD401166735DEE6257C6780C54BBC2D6889B78528DCCD7BC327422E87CF0933F0FA0DCCF88DA5048D0722E74DB061EEDDE0132A4CC4D38E7F29153EE281A50D7ACA81960E13A3A345A00CDE1ADCE8B4C68D097594B83178113E845B8EA4135CD0E51CEE58CB3F6398B07DC9F102A4F3488ED4164FAB40D9B878896C6A1D1190111ED964AC46E17E2705EE773EE07E6FC02080551ADC1F82920BC838F1CD180694EB18A6F1A850F52A86DF677A91101D1152229F7D306A40464A56B203081BB3C48A185D9184A12D668473260D86B4A34C924746B5384FF94CA2B18A8CC3DA61C78084509852980FD35A0ED2AB94B4CCEA7A252D93A8119560710989005863D2518293D4B8B4B0E204A58D85A73D9C6DD29F91990C45C07F0019A5C53B2A3B2C4A43E94EDAE422344AD407A8EB93524DA0920482A504BBA56E716A9CE916FAE43ADDD2C475B96E937EBFD6714EC7821A19315782653E967B563B8C48C8136B5E07AC845CFEB8132407484FE582C9B39E2AE4E887D425D816DA6114EE19DA2333C923DC40D82AD612D9D44E4C845F9F8057360E3717F68FCF3B0D880AB966338D7D873DE5A2C243266B6945D5991D36F6A4643409C3D3D4A12C06C1C28D0BB42BD206E9266AA1161E4C1229BF58ACF2E052219779F07301605604780C172B32A38A406997ECD7A4036A0DD25236D9BD32B8DCC44AD07C90E460E8DD68691502599A9DAD88856470EBE8DDE8731D61989BECAE0CD99D5D9FB55B436DD9720550362F0496C4CDF520555A2E0BA04F140757070733D2B948B8686952E15AA16806E0AEE69DCE2A878FA4F5D4EAB842731D7124612E27F0AD235515528EBE4993DE6E560CC6F96F371B5536D5A93DF5CDDDEEB9EEE0B74698F870B0531A925B0D4D3FEC9ABFEBC3F31E67370D39A8FAE6F6D8DEE11EF8A9F6ED5F02E0EBC9');
CREATE TABLE log (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	attempt INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	message TEXT NOT NULL, 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "log" VALUES(1,1,1.79598682763515567779e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(2,1,1.79598682790595650673e+09,1,'claimed','Taken by worker worker-old.');
INSERT INTO "log" VALUES(3,1,1.79598682805598521233e+09,1,'started','Started from the beginning on cpu with 2 threads, torch 2: fused (compiled kernels), bf16.');
INSERT INTO "log" VALUES(4,1,1.79598682833001303676e+09,1,'checkpoint','Checkpoint at step 2.');
INSERT INTO "log" VALUES(5,1,1.79598682840066123009e+09,1,'finished','Finished with 75.0% test accuracy.');
INSERT INTO "log" VALUES(6,2,1.79598682895070433621e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(7,2,1.79598682918878364564e+09,1,'claimed','Taken by worker worker-old.');
INSERT INTO "log" VALUES(8,2,1.79598682921765637394e+09,1,'started','Started from the beginning on cpu with 2 threads, torch 2: fused (compiled kernels), bf16.');
INSERT INTO "log" VALUES(9,2,1.79598682926197457309e+09,1,'failed','The loss became infinite.');
INSERT INTO "log" VALUES(10,3,1.79598682936423039435e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(11,3,1.79598682946839189526e+09,0,'cancelled','Cancelled while it was waiting.');
INSERT INTO "log" VALUES(12,4,1.79598682952902173994e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(13,4,1.79598682958232688908e+09,0,'cancelled','Cancelled while it was waiting.');
INSERT INTO "log" VALUES(14,5,1000.0,1,'started','Trained on 2 CPU cores, torch 2, and shipped.');
INSERT INTO "log" VALUES(15,5,1100.0,1,'finished','Finished with 60.0% test accuracy.');
INSERT INTO "log" VALUES(18,7,1000.0,1,'started','Trained on 2 CPU cores, torch 2, and shipped.');
INSERT INTO "log" VALUES(19,7,1100.0,1,'finished','Finished with 60.0% test accuracy.');
INSERT INTO "log" VALUES(20,8,1.79598683087286090844e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(21,8,1.79598683093058085437e+09,1,'claimed','Taken by worker worker-old.');
INSERT INTO "log" VALUES(22,8,1.79598683094206333157e+09,1,'started','Started from the beginning on cpu with 2 threads, torch 2: fused (compiled kernels), bf16.');
INSERT INTO "log" VALUES(23,9,1.7959868311423344612e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(24,10,1.79598683122594785692e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(25,11,1.79598683128469324113e+09,0,'submitted','Submitted.');
INSERT INTO "log" VALUES(26,12,1.79598683135650682455e+09,0,'submitted','Submitted by a study.');
INSERT INTO "log" VALUES(27,13,1.79598683135706138616e+09,0,'submitted','Submitted by a study.');
CREATE TABLE machines (
	worker VARCHAR(80) NOT NULL, 
	processor VARCHAR(200) NOT NULL, 
	cores INTEGER NOT NULL, 
	load DOUBLE, 
	memory_bytes INTEGER, 
	disk_bytes INTEGER, 
	disk_free_bytes INTEGER, 
	PRIMARY KEY (worker), 
	FOREIGN KEY(worker) REFERENCES workers (name) ON DELETE CASCADE
);
INSERT INTO "machines" VALUES('worker-old','AMD EPYC',2,0.5,8589934592,107374182400,53687091200);
CREATE TABLE places (
	run INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	PRIMARY KEY (run), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "places" VALUES(9,11);
INSERT INTO "places" VALUES(11,9);
CREATE TABLE points (
	id INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	epoch DOUBLE NOT NULL, 
	split VARCHAR(5) NOT NULL, 
	loss DOUBLE NOT NULL, 
	top1 DOUBLE NOT NULL, 
	top5 DOUBLE, 
	lr DOUBLE, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "points" VALUES(1,1,0,0.0,'train',2.0,0.0,NULL,0.1);
INSERT INTO "points" VALUES(2,1,1,8.33333333333333287074e-02,'train',1.0,0.01,NULL,0.1);
INSERT INTO "points" VALUES(3,1,2,1.66666666666666657414e-01,'train',6.66666666666666629659e-01,0.02,NULL,0.1);
INSERT INTO "points" VALUES(4,1,3,0.25,'train',0.5,0.03,NULL,0.1);
INSERT INTO "points" VALUES(5,1,3,0.25,'test',1.0,0.5,NULL,NULL);
INSERT INTO "points" VALUES(6,5,0,0.0,'train',2.0,0.0,NULL,0.1);
INSERT INTO "points" VALUES(7,5,1,8.33333333333333287074e-02,'train',1.0,0.01,NULL,0.1);
INSERT INTO "points" VALUES(10,7,0,0.0,'train',2.0,0.0,NULL,0.1);
INSERT INTO "points" VALUES(11,7,1,8.33333333333333287074e-02,'train',1.0,0.01,NULL,0.1);
INSERT INTO "points" VALUES(12,8,0,0.0,'train',2.0,0.0,NULL,0.1);
INSERT INTO "points" VALUES(13,8,1,8.33333333333333287074e-02,'train',1.0,0.01,NULL,0.1);
INSERT INTO "points" VALUES(14,8,2,1.66666666666666657414e-01,'train',6.66666666666666629659e-01,0.02,NULL,0.1);
CREATE TABLE removals (
	run INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (run), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "removals" VALUES(4,1.79598682978399252887e+09);
CREATE TABLE runs (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(32) NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	spec TEXT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	priority INTEGER NOT NULL, 
	name VARCHAR(64), 
	architecture VARCHAR(60) NOT NULL, 
	policy VARCHAR(60) NOT NULL, 
	dataset VARCHAR(60) NOT NULL, 
	epochs INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	counts TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	cancel_requested BOOLEAN NOT NULL, 
	created_at DOUBLE NOT NULL, 
	started_at DOUBLE, 
	finished_at DOUBLE, 
	attempt INTEGER NOT NULL, 
	worker VARCHAR(80), 
	beat INTEGER NOT NULL, 
	crashes INTEGER NOT NULL, 
	losses INTEGER NOT NULL, 
	trouble_step INTEGER, 
	step INTEGER NOT NULL, 
	total_steps INTEGER NOT NULL, 
	tested DOUBLE, 
	analysed DOUBLE, 
	images_per_s DOUBLE, 
	elapsed_s DOUBLE, 
	eta_s DOUBLE, 
	checkpoint_step INTEGER, 
	top1 DOUBLE, 
	macs_per_s DOUBLE, 
	error_kind VARCHAR(32), 
	error_message TEXT, 
	result TEXT, 
	started TEXT, 
	UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,'M7slNmdFQ8DWBQ','5e22f4b1924e0df211e794a320fcd6d0391e7cb3bab6975a17f9ffae49d8b2c6','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"γ alone"}','56604723e12687c418d8669695c8ca856f75fe3f3fcfaebf1db26a591752df13',0,'γ alone','resnet-8','batchnorm','digits',2,0,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','finished',0,1.79598682757656145101e+09,1.79598682785416293144e+09,1.79598682837860274311e+09,1,'worker-old',2,0,0,NULL,24,24,NULL,NULL,NULL,2.0,NULL,2,0.75,2593786432.0,NULL,NULL,'{"event":"finished","step":24,"epoch":2.0,"top1":0.75,"loss":0.3,"train_top1":0.75,"train_loss":0.3,"top5":null,"trainable":672,"disabled":0.1,"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","seconds":2.0}','{"event":"started","spec_digest":"56604723e12687c418d8669695c8ca856f75fe3f3fcfaebf1db26a591752df13","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO "runs" VALUES(2,'2FD8HOUykJfVaK','915ff264233b562fc9d3ad12f3901ded47c9f2c91527307ca2270db26d2b0eeb','{"architecture":"resnet-8","policy":"all","dataset":"digits","epochs":2,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"failed"}','5c4b4af180e9814cadca90732ab573306f0bc850b011554c23fcf525b7b0998c',0,'failed','resnet-8','all','digits',2,0,'{"total":77754,"trainable":77754,"batchnorm":672,"output":650,"shortcut":2560}','failed',0,1.79598682894900560378e+09,1.79598682911842560767e+09,1.79598682926021146772e+09,1,'worker-old',1,0,0,NULL,0,24,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'diverged','The loss became infinite.',NULL,'{"event":"started","spec_digest":"5c4b4af180e9814cadca90732ab573306f0bc850b011554c23fcf525b7b0998c","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":77754,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO "runs" VALUES(3,'FjrfxhkVvg4mjq','735e05b503d118f263b5cf7765d4ee5fc8ebc93181cc2c96dcb26e6965f3e50a','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":1,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":3615706188,"order":2734124652,"augmentation":2483629328,"choice":57680236},"start":null,"contents":null,"name":"cancelled"}','ca8965974e52d4c65e72857890067f1ec22899692ded54c1fbceff51e8601d91',0,'cancelled','resnet-8','batchnorm','digits',2,1,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','cancelled',1,1.79598682931454324725e+09,NULL,1.79598682946837759017e+09,0,NULL,0,0,0,NULL,0,24,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(4,'dns8XmuNqZlbCD','353ee34ca89d0024df2b154c695cddc378007e20b5687e3d8f7a47b1dfc11c6e','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":2,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":3391195593,"order":4237702621,"augmentation":2027602055,"choice":2552005119},"start":null,"contents":null,"name":"removed"}','85a571cd4399834e46447586eafa04b5071d45be673d9e7fbfce7567417ca224',0,'removed','resnet-8','batchnorm','digits',2,2,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','cancelled',1,1.79598682950562310222e+09,NULL,1.79598682958231759074e+09,0,NULL,0,0,0,NULL,0,24,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(5,'ZA0R6asiK64gjX','','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":3,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":2262969684,"order":462014338,"augmentation":1239951550,"choice":2527086788},"start":null,"contents":null,"name":"first"}','72705af9584392a5cf184349a2ff2ac8ba27e6a88b1f6bcd9927c0458bed3cf3',0,'first','resnet-8','batchnorm','digits',2,3,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','finished',0,1000.0,1000.0,1100.0,1,NULL,0,0,0,NULL,24,24,NULL,NULL,NULL,2.0,NULL,NULL,0.6,NULL,NULL,NULL,'{"event":"finished","step":24,"epoch":2.0,"top1":0.6,"loss":0.3,"train_top1":0.6,"train_loss":0.3,"top5":null,"trainable":672,"disabled":0.1,"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","seconds":2.0}','{"event":"started","spec_digest":"72705af9584392a5cf184349a2ff2ac8ba27e6a88b1f6bcd9927c0458bed3cf3","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO "runs" VALUES(7,'ygxLtcHUTWKIyW','','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":5,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":2887371144,"order":612417238,"augmentation":881668213,"choice":1434225263},"start":null,"contents":null,"name":"third"}','28ab8fd4832539cb44632808288e0410f77fa485791514a76b81a42a6ee73463',0,'third','resnet-8','batchnorm','digits',2,5,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','finished',0,1000.0,1000.0,1100.0,1,NULL,0,0,0,NULL,24,24,NULL,NULL,NULL,2.0,NULL,NULL,0.6,NULL,NULL,NULL,'{"event":"finished","step":24,"epoch":2.0,"top1":0.6,"loss":0.3,"train_top1":0.6,"train_loss":0.3,"top5":null,"trainable":672,"disabled":0.1,"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","seconds":2.0}','{"event":"started","spec_digest":"28ab8fd4832539cb44632808288e0410f77fa485791514a76b81a42a6ee73463","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO "runs" VALUES(8,'3GI6xMQuRSqWQv','498b70cc2040e5f1168f427ff99c24543f88925fc23b39b38c3a64c5304c3030','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":6,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":765288006,"order":2798671927,"augmentation":2850316862,"choice":41355156},"start":null,"contents":null,"name":"running"}','a4a659c7114d6800d986a48e4667a3abdc49cadf0060444c47de8df7c05abd3f',0,'running','resnet-8','batchnorm','digits',2,6,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','running',0,1.79598683085000634194e+09,1.79598683092948532107e+09,NULL,1,'worker-old',2,0,0,NULL,2,24,NULL,NULL,99.5,1.0,9.0,NULL,NULL,NULL,NULL,NULL,NULL,'{"event":"started","spec_digest":"a4a659c7114d6800d986a48e4667a3abdc49cadf0060444c47de8df7c05abd3f","attempt":1,"resumed_from":null,"total_steps":24,"steps_per_epoch":12,"train_examples":1438,"test_examples":359,"counts":{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560},"layers":[{"name":"stem.norm","channels":16,"stage":0,"shortcut":false},{"name":"stage1.0.norm1","channels":16,"stage":1,"shortcut":false},{"name":"stage1.0.norm2","channels":16,"stage":1,"shortcut":false},{"name":"stage2.0.norm1","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.norm2","channels":32,"stage":2,"shortcut":false},{"name":"stage2.0.shortcut.norm","channels":32,"stage":2,"shortcut":true},{"name":"stage3.0.norm1","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.norm2","channels":64,"stage":3,"shortcut":false},{"name":"stage3.0.shortcut.norm","channels":64,"stage":3,"shortcut":true}],"device":"cpu","threads":2,"processes":1,"torch":"2","engine":"fused (compiled kernels), bf16","processor":"AMD EPYC, family 25 model 17","taken":null}');
INSERT INTO "runs" VALUES(9,'x1wOEudX4275Vm','1707b217c8bcfe87112e71ff399ccfc65db089176cf02150cc945f06d40cba9d','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":10,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":932145055,"order":4084340280,"augmentation":395343668,"choice":2875207505},"start":null,"contents":null,"name":"waiting 0"}','192efcb715358d61c9ed434792f2a00e27ddb608b8f7cc7375f989cd3ff08f1b',0,'waiting 0','resnet-8','batchnorm','digits',2,10,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','queued',0,1.79598683114022755627e+09,NULL,NULL,0,NULL,0,0,0,NULL,0,24,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(10,'cDODxzimQnALse','ab37c4a1764dad503b95796dad3527b002009b96e7c90c703d9c506c10be0148','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":11,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":1228439450,"order":455290096,"augmentation":3801459515,"choice":2680723478},"start":null,"contents":null,"name":"waiting 1"}','ecd4ade285b572afde531e8cfbd76ab0678b4e0e48f12aeb7467ffd9ba634293',0,'waiting 1','resnet-8','batchnorm','digits',2,11,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','queued',0,1.79598683122427654271e+09,NULL,NULL,0,NULL,0,0,0,NULL,0,24,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(11,'DInLorK4xnFpFM','d4f64ddb10dec49c313e72793c9463d697a28bef468b79ed5900e152eaacbf6e','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":2,"replicate":12,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":3546536510,"order":1747504614,"augmentation":546590413,"choice":3917552706},"start":null,"contents":null,"name":"waiting 2"}','9ef83bf76d0d20f12bf86fb3ace1e0b7accba95e419f74b79d3e82ce5b6929b0',0,'waiting 2','resnet-8','batchnorm','digits',2,12,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','queued',0,1.79598683127344155305e+09,NULL,NULL,0,NULL,0,0,0,NULL,0,24,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(12,'rqOF0uZbxQrdPY','5713901897a3cfacd7121134a494851bbc75dca903c9df3fd89be7ed80f2e43c','{"architecture":"resnet-8","policy":"batchnorm","dataset":"digits","epochs":1,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"random-k: batchnorm, replicate 0"}','203131386d03463cf21e7aec05e2ad6c3b3414ec08a399f6b0d44a6840972c99',1,'random-k: batchnorm, replicate 0','resnet-8','batchnorm','digits',1,0,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','queued',0,1.79598683132846546166e+09,NULL,NULL,0,NULL,0,0,0,NULL,0,12,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(13,'3inlLUrD2ZmTDr','5713901897a3cfacd7121134a494851bbc75dca903c9df3fd89be7ed80f2e43c','{"architecture":"resnet-8","policy":"random-2","dataset":"digits","epochs":1,"replicate":0,"train_examples":null,"test_examples":null,"recipe":{"optimizer":"sgd","lr":0.1,"momentum":0.9,"nesterov":false,"weight_decay":0.0001,"batch_size":128,"schedule":"step","lr_drops":[0.5,0.75],"lr_drop_factor":0.1,"warmup_epochs":0.0,"label_smoothing":0.0,"sync_batchnorm":false,"precision":"auto","lean":false,"augmentation":"standard"},"init":{"weights":"he-normal","norm":"uniform"},"norm":{"kind":"batch","affine":true,"groups":8},"seeds":{"init":4033474433,"order":276421276,"augmentation":197478750,"choice":3848172432},"start":null,"contents":null,"name":"random-k: random-2, replicate 0"}','85505f34d9e2c5a259059d5c9d1e689f3475badf45fb51210e6b5e041346ba7c',1,'random-k: random-2, replicate 0','resnet-8','random-2','digits',1,0,'{"total":77754,"trainable":672,"batchnorm":672,"output":650,"shortcut":2560}','queued',0,1.79598683132855749125e+09,NULL,NULL,0,NULL,0,0,0,NULL,0,12,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE schema_version (
	only INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (only)
);
INSERT INTO "schema_version" VALUES(1,3);
CREATE TABLE snapshots (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	epoch DOUBLE NOT NULL, 
	kept BOOLEAN NOT NULL, 
	gamma TEXT NOT NULL, 
	beta TEXT NOT NULL, 
	disabled TEXT NOT NULL, 
	detail BLOB NOT NULL, 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "snapshots" VALUES(1,1,0,0.0,1,'[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0]',X'785EED954D0B83300C86FF4BCE41DCF7E85F911EAA862968EB68DC45FCEFABEE34F67199B0B0955008F4F2F0923C19802E641914786B3A5F390604CFD4814A11A8734515BA24F427D3B606D40085EB2D7B505996A280D2183856DF279939D64238364238B64238764238F642380E42388E023834C2B93796EB866E564BC2B43C7FD38EFFD5AF1E1172E2C5BDBF80AF67DF7E5A91E33EC19847CCE3DD4EFDD27C44EFBFBE7393F7CBDA9BBCA132DCC48791D0E315D9A656B0');
INSERT INTO "snapshots" VALUES(2,1,2,1.66666666666666657414e-01,0,'[0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0]',X'785EED95CB0A83301045FF65D683A86D6DC9AF481651872A686249EC46FCF72A2D429F9B0A0E6D12B2CAE6709939B7073A937620C06AD5DAD23840B08E5A103102B5262F418441943C1C84A36A1A05A287DC74DA5910691A22832BF1C611AD4B3373C44C38364C38B64C38764C3812261C7B261C87953924C2A953DA55355DAD168C93F2FA4D3BFE57BF7240C8C82DEEFD055C3DFBF69B0EF21CF7E9F93C7C1E9FF6E997E6C37BFF7DCF4DDE2F2AABB29A8AB1139F46420E17A0EA5A13');
INSERT INTO "snapshots" VALUES(3,5,0,0.0,1,'[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0]',X'785EED954D0B83300C86FF4BCE41DCF7E85F911EAA862968EB68DC45FCEFABEE34F67199B0B0955008F4F2F0923C19802E641914786B3A5F390604CFD4814A11A8734515BA24F427D3B606D40085EB2D7B505996A280D2183856DF279939D64238364238B64238764238F642380E42388E023834C2B93796EB866E564BC2B43C7FD38EFFD5AF1E1172E2C5BDBF80AF67DF7E5A91E33EC19847CCE3DD4EFDD27C44EFBFBE7393F7CBDA9BBCA132DCC48791D0E315D9A656B0');
INSERT INTO "snapshots" VALUES(5,7,0,0.0,1,'[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0]',X'785EED954D0B83300C86FF4BCE41DCF7E85F911EAA862968EB68DC45FCEFABEE34F67199B0B0955008F4F2F0923C19802E641914786B3A5F390604CFD4814A11A8734515BA24F427D3B606D40085EB2D7B505996A280D2183856DF279939D64238364238B64238764238F642380E42388E023834C2B93796EB866E564BC2B43C7FD38EFFD5AF1E1172E2C5BDBF80AF67DF7E5A91E33EC19847CCE3DD4EFDD27C44EFBFBE7393F7CBDA9BBCA132DCC48791D0E315D9A656B0');
INSERT INTO "snapshots" VALUES(6,8,0,0.0,1,'[0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0]',X'785EED954D0B83300C86FF4BCE41DCF7E85F911EAA862968EB68DC45FCEFABEE34F67199B0B0955008F4F2F0923C19802E641914786B3A5F390604CFD4814A11A8734515BA24F427D3B606D40085EB2D7B505996A280D2183856DF279939D64238364238B64238764238F642380E42388E023834C2B93796EB866E564BC2B43C7FD38EFFD5AF1E1172E2C5BDBF80AF67DF7E5A91E33EC19847CCE3DD4EFDD27C44EFBFBE7393F7CBDA9BBCA132DCC48791D0E315D9A656B0');
INSERT INTO "snapshots" VALUES(7,8,1,8.33333333333333287074e-02,0,'[0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','[0, 0, 0, 0, 0, 0, 0, 0, 0]',X'785EED95CB0A83301045FF65D683C4DA87E457248BA84315345A12BB11FFBDDABA913E36151CDA246495CDE132736E0F7425E3408235BAB545E300C13A6A418608D43659015204228E9607E1ACEB5A83EC216B3AE32CC82411C8E02ABC73845BB3CC1C3B261C11138E3D138E03138E23138E13138E78730E8570E9B47165450FAB05E3ACBC7ED38EFFD5AF1A105272AB7B7F055BCFBEFDAE813CC7323F9F87CFE3D346FDD27C78EFBFEFB9C9FB7969755A513E76E2D348A8E10680A159E6');
CREATE TABLE speeds (
	id INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	part INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	images_per_s DOUBLE NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "speeds" VALUES(1,1,62,3,1234.5);
INSERT INTO "speeds" VALUES(2,5,20,1,100.0);
INSERT INTO "speeds" VALUES(4,7,20,1,100.0);
INSERT INTO "speeds" VALUES(5,8,41,2,99.5);
CREATE TABLE starts (
	digest VARCHAR(64) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "starts" VALUES('4b4ab7934c3c61f8df3d153bc08a2a9cf543ecd493bcd13eeb4bbf8180cc75e4',1.7959868284360396862e+09,20,X'612066696C6520746F2073746172742066726F6D');
CREATE TABLE studies (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	scale VARCHAR(16) NOT NULL, 
	spec TEXT NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	cancelled BOOLEAN NOT NULL, 
	UNIQUE (id)
);
INSERT INTO "studies" VALUES(1,'2L0WYkQLxQHsDL','random-k','minutes','{"study":"random-k","scale":"minutes","base":{"architecture":"resnet-8","dataset":"digits","epochs":1},"axes":[{"field":"policy","values":["batchnorm","random-2"]}],"replicates":1}','5713901897a3cfacd7121134a494851bbc75dca903c9df3fd89be7ed80f2e43c',1.79598683132859444615e+09,0);
CREATE TABLE study_members (
	study INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (study, place), 
	FOREIGN KEY(study) REFERENCES studies (number) ON DELETE CASCADE, 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "study_members" VALUES(1,0,12);
INSERT INTO "study_members" VALUES(1,1,13);
CREATE TABLE usage (
	run INTEGER NOT NULL, 
	memory_bytes INTEGER, 
	peak_bytes INTEGER, 
	gpu_bytes INTEGER, 
	gpu_peak_bytes INTEGER, 
	PRIMARY KEY (run), 
	FOREIGN KEY(run) REFERENCES runs (number) ON DELETE CASCADE
);
INSERT INTO "usage" VALUES(1,314572800,325058560,NULL,NULL);
INSERT INTO "usage" VALUES(8,1073741824,2147483648,3221225472,4294967296);
CREATE TABLE workers (
	name VARCHAR(80) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	boot VARCHAR(120), 
	pid INTEGER NOT NULL, 
	born VARCHAR(40), 
	slots INTEGER NOT NULL, 
	started_at DOUBLE NOT NULL, 
	heard_at DOUBLE NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "workers" VALUES('worker-old','host-old','boot-old',4711,'42',2,1.79598682719304037101e+09,1.79598682738299965854e+09);
INSERT INTO "workers" VALUES('worker-older','host-older',NULL,4712,NULL,1,1.79598682748847556121e+09,1.79598682749001979826e+09);
CREATE INDEX runs_architecture ON runs (architecture, created_at);
CREATE INDEX runs_finished ON runs (state, finished_at);
CREATE INDEX runs_created ON runs (created_at);
CREATE INDEX runs_dataset ON runs (dataset, created_at);
CREATE INDEX runs_digest ON runs (digest);
CREATE INDEX runs_policy ON runs (policy, created_at);
CREATE INDEX runs_queue ON runs (state, priority, number);
CREATE INDEX studies_name ON studies (name, scale, number);
CREATE INDEX points_cursor ON points (run, id);
CREATE UNIQUE INDEX points_once ON points (run, split, step);
CREATE UNIQUE INDEX snapshots_once ON snapshots (run, step);
CREATE INDEX snapshots_cursor ON snapshots (run, id);
CREATE UNIQUE INDEX speeds_once ON speeds (run, part);
CREATE INDEX speeds_cursor ON speeds (run, id);
CREATE INDEX log_cursor ON log (run, id);
CREATE INDEX evaluations_same ON evaluations (run, digest);
CREATE INDEX evaluations_queue ON evaluations (state, number);
CREATE INDEX evaluations_created ON evaluations (created_at);
CREATE INDEX members_run ON study_members (run);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',13);
INSERT INTO "sqlite_sequence" VALUES('log',27);
INSERT INTO "sqlite_sequence" VALUES('snapshots',7);
INSERT INTO "sqlite_sequence" VALUES('evaluations',2);
INSERT INTO "sqlite_sequence" VALUES('studies',1);
COMMIT;
