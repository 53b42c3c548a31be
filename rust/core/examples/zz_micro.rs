use std::hint::black_box; use std::time::Instant;
use treering_core::seal::*;
const N:usize=2000;
fn t(name:&str,mut f:impl FnMut()){ let mut best=f64::MAX; for _ in 0..600 {let b=Instant::now(); f(); best=best.min(b.elapsed().as_nanos() as f64/N as f64);} println!("{name}: {best:.1} ns"); }
fn main(){
 let line=vec![b'x';250]; let salt=[7u8;16]; let h=[9u8;32];
 let lines=line.repeat(N);
 let mut out=vec![[0u8;32];N]; let mut out2=out.clone(); let mut out3=out.clone();
 t("commitment (line)",||for _ in 0..N {black_box(commitment(black_box(&salt),black_box(&line)));});
 t("commitment lines",||for (l,o) in lines.chunks(250).zip(&mut out) {*o=commitment(black_box(&salt),l);});
 t("leaf const",||for _ in 0..N {black_box(record_leaf(black_box(&h)));});
 t("leaf staged",||for (i,o) in out.iter().zip(&mut out2) {*o=record_leaf(i);});
 t("node const",||for _ in 0..N {black_box(node(black_box(&h),black_box(&h)));});
 t("node staged /2",||for (i,o) in out2.as_chunks::<2>().0.iter().zip(&mut out3) {*o=node(&i[0],&i[1]);});
 t("node chain",||{let mut x=h; for _ in 0..N {x=node(&h,&x);} black_box(x);});
 t("node chain left",||{let mut x=h; for _ in 0..N {x=node(&x,&h);} black_box(x);});
 t("leaf chain",||{let mut x=h; for _ in 0..N {x=record_leaf(&x);} black_box(x);});
 t("salts",||{let mut s=Salts::new(&h,0); for _ in 0..N {black_box(s.next_salt());}});
}
