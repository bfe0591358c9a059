/** '{"user":"alice"}' of token `token`, sealed by the code of before jose under a cache key of 32 bytes of 1, for https://a.test/v3. */
export const SEALED_BEFORE_JOSE =
  'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.._1oin0mMEZYKrOOD.E5aiAZ22EfYHfn5H0Kq1vOOQpN97VvhPO4Y1voOiwt' +
  '6VGjnhvXAYudXrSlY-fQhauzWfHy_YYjnIHlIPDIPb31XHJMOtuYz3-' +
  'SDn0z5X1dqD4iX7pamX2hhqLRud2UGuRuoe3tPplWx0sUXIgqlgzZl5AB0a5OOec15Jh32gOcgIm9tlH7SgpyRK9PiFJp1KTT78f' +
  'QaaZCfgcwTdPbzBK2BtcwHCTTbn0KO5hdyqqy8Mgf1ps5iQKxgQiUY400Rfzo1JFZMGyYQsqY7fVqkL2neV8cKrtk9KZxAQ_Nx7K' +
  'Az6ec2166cU4ydxwY2YrZcrNsotAiLg0yJCT06BZUtdL0gs7zxK00Yq3M-' +
  'iZ3d8HDfLKGxqtgOwLB5SrH4612JMucuKdn1juIiXa_rOuvB46yXMdfXSHX4Di_037ZCFLrD-t7WpM_5yaa2tYjjZ_Rohg-' +
  'm40UMvSdMVncngemA6rCIukCh07-8ObJ7X4vRVFn8Sh6uwG7478SgUiOC01iE3ON3OaeZ4-' +
  'Z0ynJ3rtkbWCsXzH2G1Aen15NevWRnf317_Zd_fMnyA2PYq99myXgSmukqdQ_EEBAi348m58orCau4EMOwwsQt_NAXDOVHOTe9e6' +
  'lude0tezWPhkdnbUIkxWZlaHYwXcVCLzQJP1NT61JCbj0O0sO-K1AUwxEhyDHyh4M3NzJpilM53TSOFzqIUrm3JuMfFIASaQ-' +
  '1oXUj7KKzVnx4CnY5N_WhmS07jLufBxeZbNNNQJvlnQD3ZSjBPWJM1DxwWYeK3N8ICsvVvs82oDFtL5ETGgru8_p6OShsF_EKtED' +
  'QR9WbJ1yHUxT5h4twORf-l4ljLT47BZRAvVwb-' +
  '7rTeIsD9FqH_GltYzUZuZTUVcT2__d0nGrdMlaQcjnYYuG9CfXSH8Nadyv7wox4Gdt2ygT8mDxFf2maFPGdszjRcxhPu7-' +
  'l9dEpxP05mkl6VQ35-' +
  'TkrjySFb80YOiFBOHsfHkgHpDrK5Gm0p02O7t2qdYAWY4BbIV1KhJ7z9HNQErVCwr40IxnVuKR10Y7ovXPOvRQQsufGwhcMyiM7m' +
  'jgOC9-W1TTlyDV7VlJBusjRlraUqwPWygpm3Y0Bo0e-' +
  'mcTzB60MtjvSqwOSUzJR0jtzTkmPAc_1VioOYvqKdIPeHO9lbYu4h_FF1ew2DdvygX9-t6k8RZv-YCnSdOJzflr_bDVm2sY1WI1A' +
  '4hXfCOex9oiBfVp4_-spm8PqdzLapCtV0Nkq9nIRy5KIUsdXHlHfjLzZbgCgI6CXeCa0L1lbuiACf54ERbtbTq2X33Ax915pv-' +
  'jqG1LTvQdYGDQGsHZfkhDCqC7JZtqDrdDDQhGlMOkWFnwSrJ5aWlBVhqA.dvJ1iia8RrHOUoSmlZYLUg'
